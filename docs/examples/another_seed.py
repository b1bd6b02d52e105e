"""More of the same: ``python another_seed.py fox.png --count 4`` runs what is in an image again, with other seeds."""

import argparse
import sys
from pathlib import Path

from comfyclient import Client, ComfyError, as_completed


def main() -> None:
    """Read the workflow, draw new seeds, and save what comes of it beside the image."""
    parser = argparse.ArgumentParser(description="Run the workflow inside of an image with other seeds.")
    parser.add_argument("image", type=Path)
    parser.add_argument("--count", type=int, default=1)
    options = parser.parse_args()

    with Client() as client:
        workflow = client.load(options.image)
        seeds = {}
        for _ in range(options.count):
            drawn = workflow.randomize_seeds()
            if not drawn:
                sys.exit(f"{options.image} has no seed")
            seeds[client.submit(workflow)] = "-".join(map(str, drawn.values()))
        for job in as_completed(seeds):
            target = options.image.with_name(f"{options.image.stem}-{seeds[job]}.png")
            print("Saved", job.result().images[0].save(target))


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
