"""``comfyclient`` on the command line: the extra ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main"]

_PACKAGES = ("click", "platformdirs", "rich", "tomllib" if sys.version_info >= (3, 11) else "tomli")


def main() -> None:
    """Run the program with the arguments of this process, and end the process with its exit code."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        sys.stderr.write(f"The command line needs {' and '.join(missing)}: pip install 'comfyclient[cli]'\n")
        sys.exit(2)
    from comfyclient.cli.program import run  # noqa: PLC0415 - only now it is known to be there

    sys.exit(run(sys.argv[1:]))
