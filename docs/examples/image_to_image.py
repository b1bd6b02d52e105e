"""Paint over a photo: ``python image_to_image.py photo.png "watercolour, autumn" --denoise 0.6``.

The photo is uploaded, scaled to what the model likes, and changed the more, the nearer ``--denoise`` is to 1.
"""

import argparse
import secrets
import sys
from pathlib import Path

from comfyclient import Client, ComfyError

WORKFLOW = Path(__file__).with_name("image-to-image.json")


def main() -> None:
    """Upload, run, and save the new picture beside the photo."""
    parser = argparse.ArgumentParser(description="Paint over a photo.")
    parser.add_argument("photo", type=Path)
    parser.add_argument("text")
    parser.add_argument("--denoise", type=float, default=0.6, help="from 0, the photo, to 1, nothing of it")
    parser.add_argument("--workflow", default=WORKFLOW)
    options = parser.parse_args()

    with Client() as client:
        workflow = client.load(options.workflow)
        workflow.set(
            {
                "LoadImage.image": options.photo,  # a path is uploaded, text would be a name on the server
                "Positive prompt.text": options.text,
                "KSampler.denoise": options.denoise,
                "KSampler.seed": secrets.randbelow(1 << 32),
            }
        )
        picture = client.run(workflow).images[0]
        target = options.photo.with_name(f"{options.photo.stem}-painted.png")
        print("Saved", picture.save(target, overwrite=True))


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
