"""Install from Debian what some tests want: ``python -m tests.programs``, which `make programs` runs.

That takes root and apt. Elsewhere it says so in one line and all goes on: the tests that want the program are then
skipped, each by its name.

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

PROGRAMS = {
    "nginx": "the tests behind nginx",
    "chromium": "the tests that ask ComfyUI's editor or look at notebooks",
}
"""Debian's packages, which have the programs' names, and what wants them."""

PATIENCE = 240.0  # seconds for each step; beside a good mirror all of them take ten
OPTIONS = (
    "--yes",
    "--no-install-recommends",
    *("-o", "DPkg::Lock::Timeout=120"),  # another run may be installing something
    *("-o", "Acquire::http::Timeout=20"),
    *("-o", "Acquire::Retries=2"),
)


class InstallError(Exception):
    """Why a program is not there, in a few words."""


def find(program: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Where it is, also where a user's PATH does not lead."""
    path = [environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(program, path=os.pathsep.join(path))


def install(program: str, say: Callable[[str], None]) -> None:
    """Have apt install it, with the package lists that are there, or else with new ones.

    Raises:
        InstallError: It could not.
    """
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.geteuid() != 0:
        raise InstallError("installing it takes root and apt")
    say(f"Installing {program} from Debian, for {PROGRAMS[program]}")
    try:
        _run(apt_get, "install", *OPTIONS, program)
    except InstallError:  # the lists are missing, or older than what the mirror still has
        _run(apt_get, "update", *OPTIONS[2:])
        _run(apt_get, "install", *OPTIONS, program)


def _run(*command: str) -> None:
    # In this runlevel Debian starts no service that it installs.
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    try:
        subprocess.run(command, env=environ, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or "").strip().splitlines()
        raise InstallError(f"{' '.join(command[:2])} failed: {said[-1] if said else error}") from None


def main() -> int:
    """What ``make programs`` does; without them there are fewer tests, which is no error."""

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    for program, wanted_by in PROGRAMS.items():
        if find(program) is None:
            try:
                install(program, say)
            except InstallError as error:
                say(f"No {program}: {error}; {wanted_by} are left out (Debian: apt-get install {program})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
