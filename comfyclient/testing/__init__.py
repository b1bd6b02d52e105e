"""An embedded ComfyUI server for tests: no GPU, no models, up in a moment.

    from comfyclient import Client
    from comfyclient.testing import EmbeddedServer

    with EmbeddedServer() as server, Client(server.url) as client:
        result = client.run("portrait.json")

It needs the extra ``testing``: ``pip install 'comfyclient[testing]'``. Names are imported when they are first used, so
that the pytest plugin beside it costs those nothing who do not want the server.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfyclient.testing.context import Context, Interrupted, current
    from comfyclient.testing.decorator import Clip, Conditioning, Image, Latent, Mask, Model, Models, Vae, node
    from comfyclient.testing.graph import Blocked, Expansion
    from comfyclient.testing.script import Latency, Submission
    from comfyclient.testing.server import EmbeddedServer

__all__ = [
    "Blocked",
    "Clip",
    "Conditioning",
    "Context",
    "EmbeddedServer",
    "Expansion",
    "Image",
    "Interrupted",
    "Latency",
    "Latent",
    "Mask",
    "Model",
    "Models",
    "Submission",
    "Vae",
    "current",
    "node",
]

_HOMES = ("context", "graph", "decorator", "script", "server")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            try:
                module = importlib.import_module(f"{__name__}.{home}")
            except ModuleNotFoundError as error:
                if (error.name or "").startswith("comfyclient"):
                    raise
                hint = f"comfyclient.testing needs {error.name}: pip install 'comfyclient[testing]'"
                raise ModuleNotFoundError(hint, name=error.name) from None
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
