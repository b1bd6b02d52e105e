"""Run a workflow on a ComfyUI server, show its progress, and save the image it makes.

The workflow needs no model. Where the server is comes from COMFYUI_URL; `make demo` starts one if that is not set.
"""

import secrets
import sys
from pathlib import Path

from comfyclient import Client, ComfyError, Workflow
from comfyclient.events import Event, Executing

HERE = Path(__file__).parent


def main() -> None:
    """Draw glows in the night sky, in colours of the day."""
    workflow = Workflow.load(HERE / "glow.json")
    for node in workflow.find_all(class_type="EmptyImage"):
        if node.title != "Night sky":
            node["color"] = secrets.randbelow(1 << 24)

    with Client() as client:
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
    try:
        main()
    except ComfyError as error:
        sys.exit(f"{error}")
