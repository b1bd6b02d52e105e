"""Run a workflow on a ComfyUI server, show its progress, and save the image it makes.

The server is the one at COMFYUI_URL; without that, an embedded one runs for as long as this takes. The workflow needs
no model.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comfyclient import Client, ComfyError, Workflow
from comfyclient.events import Event, Executing
from comfyclient.testing import EmbeddedServer

HERE = Path(__file__).parent


@contextmanager
def comfyui() -> Iterator[str]:
    """Where a server answers."""
    if url := os.environ.get("COMFYUI_URL"):
        yield url
    else:
        print("No COMFYUI_URL, so an embedded server stands in.")
        with EmbeddedServer() as server:
            yield server.url


def main() -> None:
    """Draw glows in the night sky, in colours of the day."""
    workflow = Workflow.load(HERE / "glow.json")
    for node in workflow.find_all(class_type="EmptyImage"):
        if node.title != "Night sky":
            node["color"] = secrets.randbelow(1 << 24)

    with comfyui() as url, Client(url) as client:
        print(f"ComfyUI {client.system.stats().system.comfyui_version} at {client.config.shown_url}, prompt", end=" ")
        job = client.submit(workflow)
        print(job.prompt_id)

        def show(event: Event) -> None:
            if isinstance(event, Executing) and event.node is not None:
                print(f"{job.progress:4.0%}  {workflow.title(event.node)}")

        result = job.result(timeout=120, on_event=show)
        print(f"{job.progress:4.0%}  {result}")
        print("Saved", result.images[0].save("demo.png", overwrite=True))


if __name__ == "__main__":
    argparse.ArgumentParser(description="Draw a night sky: on COMFYUI_URL, or an embedded server.").parse_args()
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
