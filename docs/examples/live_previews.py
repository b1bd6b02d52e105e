"""Write the previews of a running job to disk: ``python live_previews.py portrait.json``.

``previews/latest.jpeg`` is always the newest one, whole, for an image viewer or a web page to show; the numbered ones
stay. Servers before 0.9 send previews only if they were started with ``--preview-method auto``.
"""

import argparse
import secrets
import sys
from pathlib import Path

from comfyclient import Client, ComfyError

DIRECTORY = Path("previews")


def main(path: str) -> None:
    """Run the workflow with a new seed: of a result that the server still has, nothing is sampled again."""
    DIRECTORY.mkdir(exist_ok=True)
    with Client() as client:
        workflow = client.load(path)
        workflow.find(class_type="KSampler")["seed"] = secrets.randbelow(1 << 32)
        method = "latent2rgb" if client.server.has("preview_method") else None
        job = client.submit(workflow, preview_method=method)
        for number, preview in enumerate(job.previews(), 1):
            kind = preview.media_type.rpartition("/")[2]
            written = DIRECTORY / f"{number:04}.{kind}"
            written.write_bytes(preview.data)
            waiting = DIRECTORY / f".latest.{kind}"
            waiting.write_bytes(preview.data)
            waiting.replace(DIRECTORY / f"latest.{kind}")
            print(written, f"{job.progress:4.0%}")
        print("Saved", *job.result().save("images", overwrite=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the previews of a running job to disk.")
    parser.add_argument("workflow")
    options = parser.parse_args()
    try:
        main(options.workflow)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
