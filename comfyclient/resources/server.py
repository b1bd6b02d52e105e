"""``client.server``: how old the server is, and what it can do."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import frozen

from comfyclient._lazy import Kept
from comfyclient.errors import ServerError, Unsupported
from comfyclient.resources._answers import get
from comfyclient.resources._noun import Noun
from comfyclient.resources.jobs import look_up
from comfyclient.types.system import SystemStats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient._http import Transport

__all__ = ["CAPABILITIES", "Capability", "Server"]

Capability: TypeAlias = Literal["jobs", "preview_method", "history_offset", "interrupt", "targets", "prompt_id"]


@frozen
class _Novelty:
    """Something that not all servers have.

    Attributes:
        what: It in words, for messages.
        since: The version that brought it.
    """

    what: str
    since: str

    @property
    def version(self) -> tuple[int, ...]:
        return tuple(map(int, self.since.split(".")))


CAPABILITIES: Final[dict[Capability, _Novelty]] = {
    "jobs": _Novelty("GET /api/jobs", "0.9.0"),
    "preview_method": _Novelty("a preview_method for one prompt", "0.9.0"),
    "history_offset": _Novelty("an offset for GET /history", "0.3.60"),
    "interrupt": _Novelty("a way to interrupt one prompt and no other", "0.3.57"),
    "targets": _Novelty("a way to run some outputs of a prompt only", "0.3.48"),
    "prompt_id": _Novelty("prompt ids of the client's choice", "0.3.45"),
}
"""What comfyclient wants to know of a server, the newest first.

The first can be seen, by asking for a job. A server that has it has the others too; of one that has not, its version
tells. Servers before September 2024 do not tell it, nor do they have anything of this.
"""

_NOBODY = "00000000-0000-0000-0000-000000000000"
"""The id of no prompt: who is asked for it looks nothing up, and nothing on the server can spoil the answer."""
_FEATURES_SINCE = (0, 3, 45)


class Server(Noun):
    """How old the server is and what it can do. Each question is asked once, when its answer is first needed.

    What was answered is forgotten when the websocket had to be opened anew, since the server may be another one by
    then. Without a websocket, ``refresh`` does that.

    Everything here runs in the caller's thread, and in several threads at once if need be. Besides what its own text
    says, everything but ``refresh`` raises ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an
    answer within ten seconds, ``ServerError`` when the server fails, and ``DecodeError`` for an answer that is not
    ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.refresh()

    @property
    def version(self) -> tuple[int, ...]:
        """Its version to compare with, as ``(0, 30, 0)``, from ``GET /system_stats``.

        ``()`` for servers that do not tell, which are those before September 2024: it is less than every other.
        """
        return self._version.get()

    @property
    def features(self) -> Mapping[str, Any]:
        """What it says of itself, such as ``max_upload_size`` in bytes, from ``GET /features``.

        As sent; empty on servers before 0.3.45. ``client.system.features()`` asks anew each time.
        """
        return self._features.get()

    def has(self, capability: Capability) -> bool:
        """Whether it can do something that older ones cannot (``GET /api/jobs/{id}``).

        A server that has this route can do all of it. Only of others the version is asked (``GET /system_stats``).

        Args:
            capability: One of these.

                - ``"jobs"``: the jobs API, since 0.9. ``client.jobs`` does without.
                - ``"preview_method"``: an own ``preview_method`` for a prompt, since 0.9.
                - ``"history_offset"``: the ``offset`` of ``client.history.list``, since 0.3.60.
                - ``"interrupt"``: to interrupt one prompt and no other, since 0.3.57.
                - ``"targets"``: to run only some outputs, since 0.3.48. ``client.submit`` does without.
                - ``"prompt_id"``: prompt ids that the client has chosen, since 0.3.45.

        Raises:
            ValueError: There is no such name.
        """
        if capability not in CAPABILITIES:
            raise ValueError(f"{capability!r} is none of {', '.join(CAPABILITIES)}")
        if self._jobs.get():
            return True
        return capability != "jobs" and self._least_version() >= CAPABILITIES[capability].version

    def require(self, capability: Capability) -> None:
        """See to it that it can do something (``GET /api/jobs/{id}``); see ``has``.

        Args:
            capability: As for ``has``.

        Raises:
            Unsupported: It cannot; the text names the version that can.
            ValueError: There is no such name.
        """
        if not self.has(capability):
            novelty = CAPABILITIES[capability]
            raise Unsupported(novelty.what, novelty.since, self._transport.config.shown_url)

    def refresh(self) -> None:
        """Forget what it answered, after an upgrade for example. Asks nothing."""
        self._version = Kept(partial(_ask_version, self._transport))
        self._features = Kept(partial(_ask_features, self._transport))
        self._jobs = Kept(partial(_ask_for_jobs, self._transport))

    def _least_version(self) -> tuple[int, ...]:
        """Its version; of one that does not tell, what it must be at least."""
        return self.version or (_FEATURES_SINCE if self.features else ())


def _ask_version(transport: Transport) -> tuple[int, ...]:
    try:
        return get(transport, "/system_stats", SystemStats).system.version
    except ServerError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return ()  # a proxy keeps it to itself


def _ask_features(transport: Transport) -> Mapping[str, Any]:
    try:
        return MappingProxyType(get(transport, "/features", dict[str, Any]))
    except ServerError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return MappingProxyType({})


def _ask_for_jobs(transport: Transport) -> bool:
    try:
        look_up(transport, _NOBODY)
    except Unsupported:
        return False
    except ServerError as error:
        if error.status > HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        # 500 is the word of a server that has the route; others come from proxies that hide it.
        return error.status == HTTPStatus.INTERNAL_SERVER_ERROR
    return True
