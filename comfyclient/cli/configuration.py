"""The configuration file: servers by name, so that nobody has to type addresses and tokens."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from attrs import field, fields, frozen

from comfyclient.config import ClientConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Configuration", "configuration_path"]

_NOT_IN_A_FILE = frozenset({"client_id", "retry", "reconnect", "trust_env"})
"""Options of a client that are no property of its server."""
_SECRETS = frozenset({"token", "auth", "headers", "cookies", "params", "api_key_comfy_org", "auth_token_comfy_org"})


def configuration_path() -> Path:
    """Where the file is: where ``COMFYCLIENT_CONFIG`` says, or else at the place that the system has for it."""
    if given := os.environ.get("COMFYCLIENT_CONFIG"):
        return Path(given)
    from platformdirs import user_config_path  # noqa: PLC0415 - only when the environment does not say

    return user_config_path("comfyclient", appauthor=False) / "config.toml"


@frozen
class Configuration:
    """What the file says.

    Attributes:
        path: The file.
        servers: By name, the options of ``ClientConfig`` for each.
        default: The server that is meant where none is named.
    """

    path: Path
    servers: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=lambda servers: repr([*servers]))
    default: str | None = None

    @classmethod
    def read(cls) -> Configuration:
        """Read the file; without one there are no servers.

        Raises:
            click.UsageError: It is wrong; the message names it and says what is wrong.
        """
        path = configuration_path()
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            raise click.UsageError(f"{path} cannot be read: {error.strerror}") from None
        except ValueError as error:  # not TOML, or not UTF-8
            raise click.UsageError(f"{path} is no TOML: {error}") from None
        try:
            return cls(path, _servers(content), _default(content))
        except ValueError as error:
            raise click.UsageError(f"{path}: {error}") from None

    def exposed(self) -> bool:
        """Whether the file holds a secret and others than its owner can read it."""
        holds_secrets = any(
            not _SECRETS.isdisjoint(options) or "@" in str(options["url"]) for options in self.servers.values()
        )
        return holds_secrets and os.name == "posix" and bool(self.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _servers(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if unknown := sorted(content.keys() - {"default", "servers"}):
        raise ValueError(f"{unknown[0]!r} means nothing here; there are 'default' and tables such as [servers.studio]")
    servers = content.get("servers", {})
    if not isinstance(servers, dict) or not all(isinstance(options, dict) for options in servers.values()):
        raise ValueError("a server is a table such as [servers.studio], with a url")
    return {name: _options(name, options) for name, options in servers.items()}


def _options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    known = {attribute.name for attribute in fields(ClientConfig)} - _NOT_IN_A_FILE
    if unknown := sorted(options.keys() - known):
        raise ValueError(f"the server {name!r} has an option {unknown[0]!r}; there are {', '.join(sorted(known))}")
    if not isinstance(url := options.get("url"), str) or not url:
        raise ValueError(f"the server {name!r} has no url, which is a text such as 'http://host:8188'")
    pairs = {key: tuple(options[key]) for key in ("auth", "cert") if isinstance(options.get(key), list)}
    return {**options, **pairs}


def _default(content: Mapping[str, Any]) -> str | None:
    default = content.get("default")
    if default is not None and default not in content.get("servers", {}):
        raise ValueError(f"the default {default!r} is none of its servers")
    return default
