"""The server and its machine."""

from __future__ import annotations

import attrs
import pytest

from comfyclient._convert import structure
from comfyclient.types import Device, PackageVersion, SystemInfo, SystemStats
from tests.captures import capture


def test_a_recorded_server() -> None:
    stats = structure(capture("system_stats"), SystemStats)

    assert stats.extra == {}
    assert stats.system.extra == {}
    assert stats.system.version == (0, 30, 0)
    assert stats.system.argv[0] == "main.py"
    assert "main.py" not in repr(stats), "a command line can hold what is nobody's business"
    (cpu,) = stats.devices
    assert (cpu.type, cpu.index, cpu.extra) == ("cpu", None, {})
    assert cpu.vram_total is not None


def test_every_field_of_a_server_without_a_gpu() -> None:
    body = capture("system_stats")
    stats = structure(body, SystemStats)

    assert attrs.asdict(stats.system.comfy_package_versions[0]) == {
        **body["system"]["comfy_package_versions"][0],
        "extra": {},
    }
    for value, raw in ((stats.system, body["system"]), (stats.devices[0], body["devices"][0])):
        names = {field.name for field in attrs.fields(type(value))} - {"extra"}
        assert names == raw.keys()
        for name in names - {"comfy_package_versions", "argv"}:
            assert getattr(value, name) == raw[name]
    assert stats.system.argv == tuple(body["system"]["argv"])


def test_a_server_with_two_gpus() -> None:
    body = capture("system_stats")
    gpu = {"type": "cuda", "vram_total": 25, "vram_free": 20, "torch_vram_total": 4, "torch_vram_free": 1}
    body["devices"] = [{"name": f"cuda:{index} NVIDIA : native", "index": index, **gpu} for index in (1, 0)]
    stats = structure(body, SystemStats)

    assert stats.devices == (
        Device("cuda:1 NVIDIA : native", "cuda", 1, 25, 20, 4, 1),
        Device("cuda:0 NVIDIA : native", "cuda", 0, 25, 20, 4, 1),
    )


def test_a_package_that_is_missing() -> None:
    raw = {"name": "comfy-kitchen", "installed": None, "required": "0.2"}

    assert structure(raw, PackageVersion) == PackageVersion("comfy-kitchen", None, "0.2")


def test_a_server_of_2024() -> None:
    body = {
        "system": {"os": "posix", "python_version": "3.11.7", "embedded_python": False},
        "devices": [{"name": "cpu", "type": "cpu", "index": None, "vram_total": 1, "vram_free": 1}],
    }
    stats = structure(body, SystemStats)

    assert stats.system.comfyui_version is None
    assert stats.system.version == ()
    assert stats.system.version < (0, 3, 57)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("0.3.64", (0, 3, 64)),
        ("v0.3.10", (0, 3, 10)),
        ("0.4.0-rc1", (0, 4, 0)),
        ("1", (1,)),
        ("1.2.", (1, 2)),
        ("unknown", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_versions_compare(text: str | None, version: tuple[int, ...]) -> None:
    assert SystemInfo("linux", comfyui_version=text).version == version
