"""Run every new picture of a folder through a workflow: ``python watch_folder.py inbox outbox image-to-image.json``.

A picture that has its result in the outbox already is left alone, so this may be run again and again, from cron or with
``--every 10`` seconds. Whatever fails is tried again the next time.
"""

import argparse
import sys
import time
from pathlib import Path

from comfyclient import Client, ComfyError, Workflow

KINDS = {".png", ".jpg", ".jpeg", ".webp"}


def new_pictures(inbox: Path, outbox: Path) -> list[Path]:
    """What came since the last time."""
    pictures = (path for path in sorted(inbox.iterdir()) if path.suffix.lower() in KINDS)
    return [path for path in pictures if not (outbox / f"{path.name}.png").exists()]


def work_through(client: Client, workflow: Workflow, inbox: Path, outbox: Path) -> None:
    """Upload each new picture, run it, and save the first image of its result."""
    pictures = new_pictures(inbox, outbox)
    for variation in client.map(workflow, ({"LoadImage.image": path} for path in pictures), in_order=False):
        picture = pictures[variation.index]
        try:
            print(picture, "->", variation.result().images[0].save(outbox / f"{picture.name}.png"))
        except (ComfyError, OSError) as error:
            print(f"{picture}: {error}", file=sys.stderr)


def main() -> None:
    """Look once, or again and again."""
    parser = argparse.ArgumentParser(description="Run every new picture of a folder through a workflow.")
    parser.add_argument("inbox", type=Path)
    parser.add_argument("outbox", type=Path)
    parser.add_argument("workflow")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="look again after so many, until Ctrl-C")
    options = parser.parse_args()

    with Client() as client:
        workflow = client.load(options.workflow)
        work_through(client, workflow, options.inbox, options.outbox)
        while options.every is not None:
            time.sleep(options.every)
            work_through(client, workflow, options.inbox, options.outbox)


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
