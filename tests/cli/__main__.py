"""Write the reference of the command line anew: ``python -m tests.cli page``."""

from __future__ import annotations

import argparse

from tests.cli import page


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.cli", description=__doc__)
    parser.add_argument("command", choices=["page"], help="write docs/reference/cli.md")
    parser.parse_args()
    page.write()


if __name__ == "__main__":
    main()
