"""``client.system``: the server itself and its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.errors import NotFound
from comfyclient.resources._answers import get
from comfyclient.types.system import SystemStats

if TYPE_CHECKING:
    from comfyclient._http import Transport

__all__ = ["System"]


class System:
    """The server itself. Everything here runs in the caller's thread.

    Besides what its own text says, every method raises ``ServerUnreachable`` without a connection,
    ``RequestTimeout`` without an answer in time, ``ServerError`` when the server refuses, and ``DecodeError``
    for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def stats(self) -> SystemStats:
        """Return the versions, the memory and the devices, in bytes (``GET /system_stats``)."""
        return get(self._transport, "/system_stats", SystemStats)

    def features(self) -> dict[str, Any]:
        """Return what the server can do, such as ``max_upload_size`` in bytes (``GET /features``).

        Returns:
            By name, as sent; empty where the server is too old to say (before 0.3.45).
        """
        try:
            return get(self._transport, "/features", dict[str, Any])
        except NotFound:
            return {}

    def free(self, *, unload_models: bool = False, free_memory: bool = False) -> None:
        """Free memory once the prompt that runs has ended (``POST /free``). Returns at once.

        Args:
            unload_models: Unload the models.
            free_memory: Forget the outputs of nodes, too; what was cached runs again.
        """
        self._transport.request("POST", "/free", json_body={"unload_models": unload_models, "free_memory": free_memory})
