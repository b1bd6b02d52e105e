"""Run a workflow once for each row of a CSV file: ``python batch_csv.py portrait.json prompts.csv``.

A column is called as ``Workflow.set`` calls an input: ``Positive prompt.text``, ``KSampler.seed``, ``5.width``. An
empty cell leaves the workflow's own value. A row that fails is reported and ends nothing else; the exit status is 1
then.
"""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from comfyclient import Client, ComfyError


def rows(path: Path) -> Iterator[dict[str, str]]:
    """What each row sets; the server turns text into the numbers that its nodes take."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: cell for name, cell in row.items() if cell}


def main() -> int:
    """Keep the server busy with rows, and save what each of them gives under its number."""
    parser = argparse.ArgumentParser(description="Run a workflow once for each row of a CSV file.")
    parser.add_argument("workflow")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--into", type=Path, default=Path("images"), metavar="DIRECTORY")
    options = parser.parse_args()

    failed = 0
    with Client() as client:
        for variation in client.map(client.load(options.workflow), rows(options.rows), in_order=False):
            row = f"row {variation.index + 1:03}"
            try:
                paths = variation.result().save(options.into / row, overwrite=True)
            except ComfyError as error:
                failed += 1
                print(f"{row}: {error}", file=sys.stderr)
            else:
                print(f"{row}:", *paths)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
