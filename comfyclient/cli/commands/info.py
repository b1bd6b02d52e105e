"""``comfyclient info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from comfyclient import __version__
from comfyclient.cli.command import command
from comfyclient.cli.documents import dumps
from comfyclient.cli.server import DeviceDocument, devices_of, memory

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class InfoDocument:
    """What the server is. What it does not tell is null.

    Attributes:
        url: Its address, without credentials.
        comfyui_version: The version of ComfyUI.
        python_version: The version of Python, with its build.
        pytorch_version: The version of PyTorch.
        os: The operating system.
        devices: What it computes on, the main device first.
        features: What it says of itself, as it says it.
        client_version: The version of comfyclient.
    """

    url: str
    comfyui_version: str | None
    python_version: str | None
    pytorch_version: str | None
    os: str
    devices: tuple[DeviceDocument, ...]
    features: dict[str, Any]
    client_version: str


@command(
    InfoDocument,
    examples="""
$ comfyclient info
$ comfyclient info --json | jq .features
""",
)
def info(app: App) -> None:
    """Show the server's versions, devices and features.

    'comfyclient status' shows how busy it is.
    """
    stats, features = app.client.system.stats(), app.client.system.features()
    document = InfoDocument(
        url=app.client.config.shown_url,
        comfyui_version=stats.system.comfyui_version,
        python_version=stats.system.python_version,
        pytorch_version=stats.system.pytorch_version,
        os=stats.system.os,
        devices=devices_of(stats),
        features=features,
        client_version=__version__,
    )
    if app.out.json:
        app.out.result(document)
        return
    rows = [
        ("server", document.url),
        ("ComfyUI", document.comfyui_version),
        ("Python", document.python_version),
        ("PyTorch", document.pytorch_version),
        ("system", document.os),
        *(
            (f"device {device.name}", memory(device.vram_free, device.vram_total) or device.type)
            for device in document.devices
        ),
        *((f"feature {name}", value if isinstance(value, str) else dumps(value)) for name, value in features.items()),
        ("comfyclient", document.client_version),
    ]
    app.out.fields([(name, value) for name, value in rows if value is not None])
