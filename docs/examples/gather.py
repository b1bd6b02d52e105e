"""Several texts at once in a program with an event loop: ``python gather.py portrait.json "a fox" "an owl"``."""

import argparse
import asyncio
import sys

from comfyclient import Client, ComfyError, Result, Workflow


async def draw(client: Client, workflow: Workflow) -> Result:
    """Run a workflow without holding up the event loop."""
    job = await asyncio.to_thread(client.submit, workflow)
    return await asyncio.wrap_future(job.future())


async def main(path: str, texts: list[str]) -> None:
    """Save one image for each text; what goes wrong with one does not stop the others."""
    with Client() as client:
        drawings = []
        for text in texts:
            workflow = Workflow.load(path)
            workflow["6"]["text"] = text
            drawings.append(draw(client, workflow))
        for text, result in zip(texts, await asyncio.gather(*drawings, return_exceptions=True), strict=True):
            if isinstance(result, ComfyError):
                print(f"{text}: {result}")
            elif isinstance(result, BaseException):
                raise result
            else:
                paths = await asyncio.to_thread(result.save, "images", overwrite=True)
                print(f"{text}:", *paths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw several texts at once.")
    parser.add_argument("workflow")
    parser.add_argument("text", nargs="+")
    options = parser.parse_args()
    try:
        asyncio.run(main(options.workflow, options.text))
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
