"""The server and its machine."""

from __future__ import annotations

import pytest

from comfyclient._convert import structure
from comfyclient.types import SystemInfo, SystemStats
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
