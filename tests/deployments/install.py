"""Install nginx from Debian where that is possible: ``python -m tests.deployments.install``, which `make nginx` runs.

That takes root and apt. Elsewhere it says so in one line and all goes on: the tests that want nginx are then skipped,
each by its name.

Only the standard library: this runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ADVICE = "the tests behind nginx are left out (Debian: apt-get install nginx)"
PATIENCE = 240.0  # seconds for each step; beside a good mirror all of them take ten
OPTIONS = (
    "--yes",
    "--no-install-recommends",
    *("-o", "DPkg::Lock::Timeout=120"),  # another run may be installing something
    *("-o", "Acquire::http::Timeout=20"),
    *("-o", "Acquire::Retries=2"),
)


class InstallError(Exception):
    """Why there is no nginx, in a few words."""


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """The program, also where a user's PATH does not lead."""
    path = [environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which("nginx", path=os.pathsep.join(path))


def install(say: Callable[[str], None]) -> None:
    """Have apt install it, with the package lists that are there, or else with new ones.

    Raises:
        InstallError: It could not.
    """
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise InstallError("installing it takes root and apt")
    say("Installing nginx from Debian, for the tests of deployments")
    try:
        _run(apt_get, "install", *OPTIONS, "nginx")
    except InstallError:  # the lists are missing, or older than what the mirror still has
        _run(apt_get, "update", *OPTIONS[2:])
        _run(apt_get, "install", *OPTIONS, "nginx")


def _run(*command: str) -> None:
    # In this runlevel Debian starts no service that it installs.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    try:
        subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or "").strip().splitlines()
        raise InstallError(f"{' '.join(command[:2])} failed: {said[-1] if said else error}") from None


def main() -> int:
    """What ``make nginx`` does; without nginx there are fewer tests, which is no error."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if find() is None:
        try:
            install(say)
        except InstallError as error:
            say(f"No nginx: {error}; {ADVICE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
