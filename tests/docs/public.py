"""The names that are public: what each package lists as its own, such as ``comfyclient.events.__all__``."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import comfyclient

PROGRAM = "cli"  # which is no library; its reference is that of its commands
PACKAGES = [
    comfyclient,
    *(
        importlib.import_module(f"comfyclient.{module.name}")
        for module in pkgutil.iter_modules(comfyclient.__path__)
        if module.ispkg and module.name != PROGRAM and not module.name.startswith("_")
    ),
]
PUBLIC: dict[str, Any] = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in PACKAGES
    for name in getattr(package, "__all__", ())
}
"""What they name, by its full name."""
