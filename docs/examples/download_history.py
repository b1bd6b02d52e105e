"""Fetch all that a server has made and still remembers: ``python download_history.py backup``.

Each job gets a directory, called by its id, which appears when it is complete. What is there is not fetched again, so
this may be run every night.
"""

import argparse
import sys
from pathlib import Path

from comfyclient import Client, ComfyError, NotFound


def main(directory: Path) -> None:
    """Save the files of every job that succeeded and is not there yet."""
    with Client(realtime=False) as client:  # no job is run here, so there is nothing to listen to
        for entry in client.history.iter():
            prompt_id = entry.prompt.prompt_id
            if not entry.succeeded or (directory / prompt_id).exists():
                continue
            result = client.job(prompt_id).result()
            unfinished = directory / f".{prompt_id}"
            try:
                if result.save(unfinished, overwrite=True):
                    print("Saved", unfinished.rename(directory / prompt_id))
            except NotFound as error:  # somebody deleted it, or it was a preview and the server was restarted
                print(f"{prompt_id} is not complete any more: {error}", file=sys.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch all that a server has made and still remembers.")
    parser.add_argument("directory", type=Path)
    options = parser.parse_args()
    try:
        main(options.directory)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
