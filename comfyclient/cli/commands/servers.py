"""``comfyclient servers``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient._addresses import redact
from comfyclient.cli.command import command

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class ServerEntry:
    """A server of the configuration file.

    Attributes:
        name: What it is called.
        url: Its address, without credentials.
        default: Whether it is meant where none is named.
        options: The names of the options that it has beside its address.
    """

    name: str
    url: str
    default: bool
    options: tuple[str, ...]


@frozen(kw_only=True)
class ServersDocument:
    """What ``comfyclient servers`` prints.

    Attributes:
        path: The configuration file, whether it exists or not.
        exists: Whether it does.
        servers: Its servers, in its order.
        url: The server that would be asked now, without credentials.
    """

    path: str
    exists: bool
    servers: tuple[ServerEntry, ...]
    url: str


@command(
    ServersDocument,
    examples="""
$ comfyclient servers
$ comfyclient --url studio queue        # a server by its name

The file, which you write:

    default = "studio"

    [servers.studio]
    url = "https://studio.example/comfy"
    token = "..."

    [servers.attic]
    url = "http://attic:8188"
    read_timeout = 120
""",
)
def servers(app: App) -> None:
    """Show the servers of the configuration file.

    The file is TOML. Each server is a table with its url, and what else a client is to know of it: token, auth,
    headers, cookies, params, user, verify, cert, proxy, realtime, connect_timeout, read_timeout, give_up_after,
    poll_interval, api_key_comfy_org, auth_token_comfy_org. They mean what they mean in Python's ClientConfig.

    The environment variable COMFYCLIENT_CONFIG names another file.
    """
    configuration = app.configuration
    entries = tuple(
        ServerEntry(
            name=name,
            url=redact(options["url"]),
            default=name == configuration.default,
            options=tuple(key for key in options if key != "url"),
        )
        for name, options in configuration.servers.items()
    )
    exists = configuration.path.exists()
    app.out.note(f"{configuration.path}{'' if exists else ' does not exist'}")
    if app.out.json:
        document = ServersDocument(
            path=str(configuration.path), exists=exists, servers=entries, url=app.config().shown_url
        )
        app.out.result(document)
    else:
        rows = [
            (entry.name, entry.url, "default" if entry.default else "", ", ".join(entry.options)) for entry in entries
        ]
        if rows:
            app.out.table(["name", "url", "", "options"], rows)
