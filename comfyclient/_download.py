"""Downloads: a file's bytes in pieces, over several requests where the connection breaks on the way."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from comfyclient._addresses import redact
from comfyclient.errors import ComfyError, RequestTimeout, ServerError, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    import requests

    from comfyclient._http import Transport

log = logging.getLogger(__name__)

_PART = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class Unchanged(Exception):  # noqa: N818 - no error
    """The server has the file that is known already."""


def pieces(
    transport: Transport,
    path: str,
    *,
    start: int = 0,
    end: int | None = None,
    unless: Mapping[str, str] | None = None,
    restart: Callable[[], None] | None = None,
) -> Generator[bytes, None, None]:
    """The bytes of a body as ``body[start:end]`` would have them; ``retry.attempts`` in a row may bring nothing.

    Args:
        transport: Who asks.
        path: What is asked for.
        start: The first byte.
        end: The byte after the last one; ``None`` for all.
        unless: The headers of a condition that the server answers with 304.
        restart: Takes back all that was handed on, where the file is another one since. Without it that is an
            error.

    Raises:
        Unchanged: The server answered 304.
        ServerUnreachable: No connection, or it kept breaking, or the file is another one since.
        ComfyError: As ``Transport.stream``.
    """
    if end is not None and end <= start:
        return
    body = _Body(transport, path, start, end, unless or {}, restart)
    attempts = transport.config.retry.attempts if transport.config.retry else 1
    furthest, failures = start, 0
    while broken := (yield from body.attempt()):
        failures = failures + 1 if body.at <= furthest else 1
        furthest = max(furthest, body.at)
        if failures >= attempts:
            raise broken
        log.debug("GET %s broke at byte %d: %s; going on", body.url, body.at, broken)


class _Body:
    """A body on its way here, and what is known about it.

    Attributes:
        at: The position of the next byte to hand on.
        url: Where it comes from, for messages.
    """

    def __init__(  # noqa: PLR0917 - see pieces
        self,
        transport: Transport,
        path: str,
        start: int,
        end: int | None,
        unless: Mapping[str, str],
        restart: Callable[[], None] | None,
    ) -> None:
        self.at = start
        self.url = redact(transport.url(path))
        self._transport = transport
        self._path = path
        self._start = start
        self._end = end
        self._unless = unless
        self._restart = restart
        self._has_parts = True
        self._tag: str | None = None
        self._total = -1  # unknown

    def attempt(self) -> Generator[bytes, None, ComfyError | None]:
        """Hand on what one request brings, and return what broke it, or ``None`` at the end."""
        asked = self._headers()
        try:
            with self._transport.stream(self._path, headers=asked) as response:
                if response.status_code == HTTPStatus.NOT_MODIFIED:
                    raise Unchanged
                is_part = "Range" in asked and response.status_code == HTTPStatus.PARTIAL_CONTENT
                if not is_part or self._is_due(response):
                    return (yield from self._read(response, 0 if is_part else self._begin(response)))
        except ServerError as error:
            if "Range" not in asked or error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            if self._is_first:
                return None  # the body ends before the part begins
        # Another part than the one that is due, or one of another file: ask for the whole.
        self._has_parts = not self._is_first
        self._tag = None
        return (yield from self.attempt())

    @property
    def _is_first(self) -> bool:
        """Whether nothing was handed on yet."""
        return self.at == self._start

    @property
    def _due(self) -> int:
        """Where the last byte should be, once the length of the body is known."""
        return max(self._start, self._total if self._end is None else min(self._end, self._total))

    def _headers(self) -> dict[str, str]:
        part = {"Range": f"bytes={self.at}-{'' if self._end is None else self._end - 1}"}
        if self._is_first:
            is_whole = not self._start and self._end is None
            return {**self._unless, **({} if is_whole or not self._has_parts else part)}
        # The rest, if the server said what it takes to recognise it.
        return {**part, "If-Range": self._tag} if self._tag and self._total >= 0 else {}

    def _is_due(self, response: requests.Response) -> bool:
        found = _PART.fullmatch(response.headers.get("Content-Range", ""))
        if not found:
            return False
        first, last, total = map(int, found.groups())
        if self._is_first:
            self._note(response, total)
        # ComfyUI's server knows only dates in If-Range, no tags, and sends a part of a changed file too.
        elif response.headers.get("ETag") != self._tag:
            return False
        return (first, last, total) == (self.at, self._due - 1, self._total)

    def _begin(self, response: requests.Response) -> int:
        """Take note of a body that comes from its start; returns how much of it is to be skipped."""
        tag, length = response.headers.get("ETag"), response.headers.get("Content-Length", "")
        if not self._is_first:
            if tag and tag == self._tag:
                return self.at
            if self._restart is None:
                raise self._unreachable("the rest of the file is not to be had: it changed, or has no ETag")
            self._restart()
            self.at = self._start
        self._note(response, int(length) if length.isdecimal() else -1)
        return self.at

    def _note(self, response: requests.Response, total: int) -> None:
        tag = response.headers.get("ETag", "")
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        self._tag = tag if tag.startswith('"') else None  # a weak tag promises nothing about bytes
        self._total = -1 if encoded else total

    def _read(self, response: requests.Response, skip: int) -> Generator[bytes, None, ComfyError | None]:
        broken: ComfyError | None = None
        try:
            for piece in self._transport.read_chunks(response):
                new = piece[skip:]
                skip -= len(piece) - len(new)
                if self._end is not None:
                    new = new[: self._end - self.at]
                if new:
                    self.at += len(new)
                    yield new
                if self.at == self._end:
                    break
        except (ServerUnreachable, RequestTimeout) as error:
            broken = error
        if broken is None and self._total >= 0 and self.at != self._due:  # a part may be shorter than it says
            broken = self._unreachable(f"{self.at - self._start} of {self._due - self._start} bytes came")
        return broken

    def _unreachable(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable(self.url, reason, maybe_sent=True)
