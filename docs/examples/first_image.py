"""Make one image: ``python first_image.py portrait.json "a fox in the snow"``."""

import argparse
import secrets
import sys

from comfyclient import Client, ComfyError
from comfyclient.events import Event


def main(path: str, text: str) -> None:
    """Run the workflow with another text and a random seed, and save what it makes."""
    with Client() as client:
        workflow = client.load(path)
        workflow["6"]["text"] = text
        workflow.find(class_type="KSampler")["seed"] = secrets.randbelow(1 << 32)
        job = client.submit(workflow)

        def show(_event: Event) -> None:
            print(f"\r{job.progress:4.0%}", end="", flush=True)

        result = job.result(on_event=show)
        print("\rSaved", *result.save("images", overwrite=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make one image.")
    parser.add_argument("workflow")
    parser.add_argument("text")
    options = parser.parse_args()
    try:
        main(options.workflow, options.text)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
