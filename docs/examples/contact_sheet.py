"""Settings compared on one sheet: ``python contact_sheet.py portrait.json --cfg 2 5 8 --steps 5 20``.

It takes Pillow: ``pip install 'comfyclient[images]'``.
"""

import argparse
import itertools
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from comfyclient import Client, ComfyError

CELL, CAPTION = 256, 20
"""Pixels of a cell, across, and of the line below it."""


def main() -> None:
    """Run all pairs, and put each where it belongs as soon as it is there."""
    parser = argparse.ArgumentParser(description="Compare settings of the sampler on one sheet.")
    parser.add_argument("workflow")
    parser.add_argument("--cfg", type=float, nargs="+", default=[2.0, 5.0, 8.0])
    parser.add_argument("--steps", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--sheet", type=Path, default=Path("sheet.png"))
    options = parser.parse_args()

    pairs = list(itertools.product(options.steps, options.cfg))
    sheet = Image.new("RGB", (CELL * len(options.cfg), (CELL + CAPTION) * len(options.steps)), "white")
    draw = ImageDraw.Draw(sheet)
    with Client() as client:
        variations = [{"KSampler.steps": steps, "KSampler.cfg": cfg} for steps, cfg in pairs]
        for variation in client.map(client.load(options.workflow), variations, in_order=False):
            steps, cfg = pairs[variation.index]
            row, column = divmod(variation.index, len(options.cfg))
            x, y = CELL * column, (CELL + CAPTION) * row
            draw.text((x + 4, y + CELL + 4), f"steps {steps}, cfg {cfg:g}", "black")
            if variation.error:
                draw.multiline_text((x + 4, y + 4), f"{type(variation.error).__name__}", "red")
                print(variation.error, file=sys.stderr)
                continue
            picture = variation.result().images[0].pil()
            picture.thumbnail((CELL, CELL))
            sheet.paste(picture, (x, y))
    sheet.save(options.sheet)
    print("Saved", options.sheet)


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
