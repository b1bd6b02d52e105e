"""Draw a story, one picture for each line of a text file: ``python storyboard.py story.txt``."""

import argparse
import html
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from comfyclient import Client, ComfyError, JobFailed, JobLost, Workflow

STYLE = "storyboard, ink and watercolour"


@dataclass
class Frame:
    """One picture of the story, or why there is none."""

    scene: str
    picture: Path | None = None
    error: str | None = None


def scenes_of(text: str) -> list[str]:
    """The lines that are to be drawn: not the empty ones, and no notes, which begin with #."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def draw(client: Client, workflow: Workflow, scenes: Sequence[str], directory: Path) -> Iterator[Frame]:
    """Draw the scenes in their order; what fails takes the place of its picture and stops nothing."""
    variations = [
        {"Positive prompt.text": f"{scene}, {STYLE}", "KSampler.seed": number} for number, scene in enumerate(scenes)
    ]
    for variation in client.map(workflow, variations):
        number, scene = variation.index, scenes[variation.index]
        try:
            try:
                result = variation.result()
            except JobLost:  # the server was restarted, and remembers nothing
                again = workflow.copy()
                again.set(variation.changes)
                result = client.run(again)
        except JobFailed as error:
            yield Frame(scene, error=error.exception_message)
        else:
            yield Frame(scene, result.images[0].save(directory / f"{number + 1:03}.png", overwrite=True))


def page(frames: Sequence[Frame]) -> str:
    """The story as a web page."""
    lines = ["<!doctype html>", "<title>Storyboard</title>"]
    for frame in frames:
        shown = f'<img src="{frame.picture.name}" width="384">' if frame.picture else html.escape(frame.error or "")
        lines.append(f"<figure>{shown}<figcaption>{html.escape(frame.scene)}</figcaption></figure>")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read a story, draw it, and write the page."""
    parser = argparse.ArgumentParser(description="Draw a story, one picture for each line of a text file.")
    parser.add_argument("story", type=Path)
    parser.add_argument("--workflow", default="portrait.json")
    parser.add_argument("--into", type=Path, default=Path("storyboard"), metavar="DIRECTORY")
    options = parser.parse_args(arguments)

    scenes = scenes_of(options.story.read_text(encoding="utf-8"))
    frames = []
    with Client() as client:
        for frame in draw(client, client.load(options.workflow), scenes, options.into):
            frames.append(frame)
            print(f"{len(frames)} of {len(scenes)}: {frame.error or frame.picture}")
    options.into.mkdir(parents=True, exist_ok=True)  # where no scene came out well, nothing else has made it
    (options.into / "index.html").write_text(page(frames), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
