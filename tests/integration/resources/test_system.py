"""``client.system`` on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.workflows import node

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.integration.resources.conftest import Run


def test_stats(client: Client) -> None:
    stats = client.system.stats()
    system = stats.system

    assert stats.extra == system.extra == {}
    assert system.os in {"linux", "darwin", "win32"}
    assert system.python_version
    assert system.embedded_python is False
    assert system.version >= (0, 3)
    assert system.pytorch_version
    assert system.ram_total
    assert system.ram_free
    assert 0 < system.ram_free <= system.ram_total
    assert system.argv
    assert system.argv[0] not in repr(stats)
    assert stats.devices
    for device in stats.devices:
        assert device.name
        assert device.type
        assert device.extra == {}
        assert device.vram_total
        assert device.vram_free is not None
        assert device.vram_free <= device.vram_total
        assert device.torch_vram_total is not None
        assert device.torch_vram_free is not None
    if stats.devices[0].type == "cpu":
        assert (stats.devices[0].index, stats.devices[0].vram_total) == (None, system.ram_total)


@pytest.mark.needs_test_nodes
def test_stats_of_todays_server(client: Client) -> None:
    system = client.system.stats().system

    assert system.required_frontend_version
    assert system.installed_templates_version
    assert system.required_templates_version
    assert system.deploy_environment
    packages = {package.name: package for package in system.comfy_package_versions}
    assert packages["comfyui-frontend-package"].required == system.required_frontend_version
    assert packages["comfyui-workflow-templates"].installed == system.installed_templates_version
    assert all(package.extra == {} for package in packages.values())


def test_features(client: Client) -> None:
    assert client.system.features()["max_upload_size"] > 0


def test_extensions(client: Client) -> None:
    paths = client.system.extensions()

    assert paths
    assert all(path.startswith("/extensions/") and path.endswith(".js") for path in paths)
    assert client.request("GET", paths[0]).content


@pytest.mark.needs_test_nodes
def test_i18n(client: Client) -> None:
    assert client.system.i18n()["en"]["comfyclient"] == "hello"


def test_folder_paths(client: Client, comfyui: ComfyUI) -> None:
    paths = client.system.folder_paths()

    assert {"checkpoints", "loras", "vae", "custom_nodes"} <= paths.keys()
    if comfyui.server:
        directory = str(comfyui.server.base_directory / "models" / "checkpoints")
        assert directory in paths["checkpoints"]


@pytest.mark.needs_test_nodes
def test_freed_memory_is_free(client: Client, run: Run) -> None:
    graph = {"1": node("TestImage", seed=1, width=8, height=8), "2": node("PreviewImage", images=["1", 0])}
    run(graph)
    again = run(graph).message("execution_cached")
    client.system.free(unload_models=True, free_memory=True)
    afterwards = run(graph).message("execution_cached")

    assert again is not None
    assert set(again["nodes"]) == {"1", "2"}
    assert afterwards is not None
    assert afterwards["nodes"] == []
