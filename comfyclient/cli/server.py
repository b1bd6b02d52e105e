"""The server on the command line: how busy it is, and its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient.cli.jobs import queued

if TYPE_CHECKING:
    from comfyclient.client import Client
    from comfyclient.types import SystemStats

__all__ = ["DeviceDocument", "ServerDocument", "devices_of", "look", "memory"]


@frozen(kw_only=True)
class DeviceDocument:
    """A device that the server computes on. Sizes are in bytes, null where the server does not tell.

    Attributes:
        name: Its name.
        type: Its kind, such as ``cuda``, ``mps`` or ``cpu``.
        vram_total: Its memory; for a CPU the machine's.
        vram_free: What is free of that.
    """

    name: str
    type: str
    vram_total: int | None
    vram_free: int | None


@frozen(kw_only=True)
class ServerDocument:
    """How busy the server is.

    Attributes:
        url: Its address, without credentials.
        version: The version of ComfyUI, or null.
        running: The ids of the jobs that run: one at most, on every server so far.
        pending: The ids of those that wait, in the order in which they will run.
        devices: What it computes on, the main device first.
        ram_total: The machine's memory in bytes, or null.
        ram_free: What is free of that.
    """

    url: str
    version: str | None
    running: tuple[str, ...]
    pending: tuple[str, ...]
    devices: tuple[DeviceDocument, ...]
    ram_total: int | None
    ram_free: int | None


def look(client: Client) -> ServerDocument:
    """Ask the server how busy it is."""
    stats = client.system.stats()
    jobs = queued(client)
    return ServerDocument(
        url=client.config.shown_url,
        version=stats.system.comfyui_version,
        running=tuple(job.id for job in jobs if job.status == "in_progress"),
        pending=tuple(job.id for job in jobs if job.status == "pending"),
        devices=devices_of(stats),
        ram_total=stats.system.ram_total,
        ram_free=stats.system.ram_free,
    )


def devices_of(stats: SystemStats) -> tuple[DeviceDocument, ...]:
    """What it computes on."""
    return tuple(
        DeviceDocument(name=device.name, type=device.type, vram_total=device.vram_total, vram_free=device.vram_free)
        for device in stats.devices
    )


def memory(free: int | None, total: int | None) -> str:
    """Memory in words; empty if it is not known."""
    if free is None or total is None:
        return ""
    return f"{free / 2**30:.1f} of {total / 2**30:.1f} GB free"
