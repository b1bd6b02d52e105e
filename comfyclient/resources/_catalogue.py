"""How ``client.assets`` and its parts ask the server, and the arguments that they share."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from comfyclient import _download
from comfyclient.errors import ServerError, Unsupported
from comfyclient.resources._answers import read
from comfyclient.resources.system import System
from comfyclient.resources.users import explaining_the_user
from comfyclient.types.assets import Asset

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    import requests

    from comfyclient._http import Transport

__all__ = ["AssetLike", "Catalogue", "filters", "listed", "path_of"]

AssetLike: TypeAlias = "Asset | str"
T = TypeVar("T")

_SINCE = "0.9.0"
_DISABLED = {"code": "SERVICE_DISABLED", "message": "assets are off; start the server with --enable-assets"}


class Catalogue:
    """The routes of assets, which a server may have switched off."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._enabled = False

    @property
    def read_timeout(self) -> float:
        """Seconds that the server may take for an answer."""
        return self.transport.config.read_timeout

    def check(self, method: str, path: str) -> None:
        """Ask once whether there are assets here, before a large upload breaks off, or a lasting 503 is retried."""
        if self._enabled:
            return
        enabled = System(self.transport).features().get("assets")
        if enabled is None:  # from before the switch
            try:
                self.transport.request("GET", "/api/tags", params={"limit": 1}, since=_SINCE)
            except Unsupported as error:
                raise Unsupported(f"{method} {path}", _SINCE, error.url) from None
        elif not enabled:
            status = HTTPStatus.SERVICE_UNAVAILABLE.value
            raise ServerError(status, {"error": _DISABLED}, method, self.transport.url(path))
        self._enabled = True

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """``Transport.request``, where there are assets."""
        self.check(method, path)
        with explaining_the_user():
            return self.transport.request(method, path, **options)

    def rest(self, seconds: float) -> None:
        """Wait so long; a client that is closed meanwhile says so when it is asked next."""
        self.transport.closes_within(seconds)

    def ask(self, method: str, path: str, cls: type[T], **options: Any) -> T:
        """Build a ``cls`` from the answer to a request."""
        return read(self.transport, self.request(method, path, **options), cls)

    def pieces(self, path: str, restart: Callable[[], None] | None = None) -> Generator[bytes, None, None]:
        """``_download.pieces``, where there are assets."""
        self.check("GET", path)
        with explaining_the_user():
            yield from _download.pieces(self.transport, path, restart=restart)


def path_of(asset: AssetLike) -> str:
    """The path of an asset's routes.

    Raises:
        ValueError: The id is no UUID.
    """
    text = asset.id if isinstance(asset, Asset) else asset
    try:
        return f"/api/assets/{uuid.UUID(str(text))}"
    except ValueError:
        raise ValueError(f"an asset's id is a UUID, and {text!r} is none") from None


def listed(words: Iterable[str]) -> list[str]:
    """Several words, or a single one."""
    return [words] if isinstance(words, str) else [*words]


def filters(
    include_tags: Iterable[str] | None,
    exclude_tags: Iterable[str] | None,
    name_contains: str | None,
    metadata_filter: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Which assets are meant, as the server wants it said in a query."""
    return {
        "include_tags": _joined(include_tags),
        "exclude_tags": _joined(exclude_tags),
        "name_contains": name_contains,
        "metadata_filter": None if metadata_filter is None else json.dumps(dict(metadata_filter)),
    }


def _joined(tags: Iterable[str] | None) -> str | None:
    return None if tags is None else ",".join(listed(tags))
