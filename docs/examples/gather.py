"""Several texts at once in a program with an event loop: ``python gather.py portrait.json "a fox" "an owl"``."""

import asyncio
import sys

from comfyclient import Client, ComfyError, Result, Workflow


async def draw(client: Client, workflow: Workflow) -> Result:
    """Run a workflow without holding up the event loop."""
    job = await asyncio.to_thread(client.submit, workflow)
    return await asyncio.wrap_future(job.future())


async def main(path: str, *texts: str) -> None:
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
    asyncio.run(main(*sys.argv[1:]))
