"""What ``client.system`` returns."""

import re
from typing import Any

from attrs import field, frozen

from comfyclient._displayed import Displayed

__all__ = ["Device", "PackageVersion", "SystemInfo", "SystemStats"]


@frozen
class Device:
    """A device that the server computes on. Sizes are in bytes.

    Attributes:
        name: Its name, such as ``"cuda:0 NVIDIA GeForce RTX 4090"``.
        type: Its kind, such as ``"cuda"``, ``"mps"`` or ``"cpu"``.
        index: Its number among those of its kind; ``None`` for a CPU.
        vram_total: Its memory; for a CPU the machine's.
        vram_free: What is free of that.
        torch_vram_total: What PyTorch has reserved of it.
        torch_vram_free: What is free of that.
        extra: What else the server said.
    """

    name: str
    type: str
    index: int | None = None
    vram_total: int | None = None
    vram_free: int | None = None
    torch_vram_total: int | None = None
    torch_vram_free: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class PackageVersion:
    """One of the packages that ComfyUI is made of.

    Attributes:
        name: Its name, such as ``"comfyui-frontend-package"``.
        installed: The version that is there; ``None`` when it is not.
        required: The version that this ComfyUI wants.
        extra: What else the server said.
    """

    name: str | None = None
    installed: str | None = None
    required: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class SystemInfo:
    """The server and its machine. Old servers leave most of this out.

    Attributes:
        os: The operating system: Python's ``sys.platform``, on servers of 2025 and before ``os.name``.
        python_version: The version of Python, with its build.
        embedded_python: Whether it is the portable edition for Windows.
        comfyui_version: The version of ComfyUI; missing before September 2024.
        pytorch_version: The version of PyTorch.
        ram_total: The machine's memory in bytes.
        ram_free: What is free of that.
        required_frontend_version: The version of the editor that this ComfyUI wants.
        installed_templates_version: The version of the workflow templates.
        required_templates_version: The one that this ComfyUI wants.
        comfy_package_versions: ComfyUI's own packages.
        deploy_environment: How it was installed, such as ``"local-git"``.
        argv: The command line. Not in the ``repr``.
        extra: What else the server said.
    """

    os: str
    python_version: str | None = None
    embedded_python: bool | None = None
    comfyui_version: str | None = None
    pytorch_version: str | None = None
    ram_total: int | None = None
    ram_free: int | None = None
    required_frontend_version: str | None = None
    installed_templates_version: str | None = None
    required_templates_version: str | None = None
    comfy_package_versions: tuple[PackageVersion, ...] = ()
    deploy_environment: str | None = None
    argv: tuple[str, ...] = field(default=(), repr=False)
    extra: dict[str, Any] = field(factory=dict)

    @property
    def version(self) -> tuple[int, ...]:
        """``comfyui_version`` to compare with, as ``(0, 30, 0)``; ``()`` where the server does not tell."""
        start = re.match(r"v?(\d+(?:\.\d+)*)", self.comfyui_version or "")
        return tuple(int(part) for part in start[1].split(".")) if start else ()


@frozen
class SystemStats(Displayed):
    """The answer of ``GET /system_stats``.

    Attributes:
        system: The server and its machine.
        devices: What it computes on, the main device first; on servers before 0.30 that one alone.
        extra: What else the server said.
    """

    system: SystemInfo
    devices: tuple[Device, ...] = ()
    extra: dict[str, Any] = field(factory=dict)
