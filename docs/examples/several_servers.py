"""Share work among servers: ``python several_servers.py portrait.json texts.txt http://gpu-1:8188 http://gpu-2:8188``.

Each server has a thread, which takes the next text from a common queue whenever its server has room: a fast one does
more. What a server does not finish, because it cannot be reached any more, the others do.
"""

import argparse
import functools
import queue
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from comfyclient import Client, ComfyError, ServerUnreachable, Workflow


def work(workflow: Workflow, texts: "queue.SimpleQueue[str]", url: str) -> bool:
    """Do what one server can; whether it is still there in the end."""
    lost: list[str] = []

    def take() -> Iterator[dict[str, str]]:
        while not lost and not texts.empty():
            try:
                text = texts.get_nowait()
            except queue.Empty:  # another thread was faster
                return
            yield {"6.text": text}

    with Client(url) as client:
        for variation in client.map(workflow, take(), in_flight=2, in_order=False):
            text = variation.changes["6.text"]
            try:
                paths = variation.result().save(Path("images", text), overwrite=True)
                # Lines with their ends, in one piece: the other threads print as well.
                print(f"{text}: {', '.join(map(str, paths))} from {url}\n", end="")
            except ServerUnreachable as error:
                print(f"{error}\n", end="", file=sys.stderr)
                lost.append(text)
            except (ComfyError, OSError) as error:
                print(f"{text}: {error}\n", end="", file=sys.stderr)
    for text in lost:
        texts.put(text)
    return not lost


def main() -> None:
    """Work until nothing is left to do, or nobody to do it."""
    parser = argparse.ArgumentParser(description="Share work among servers.")
    parser.add_argument("workflow")
    parser.add_argument("texts", type=Path)
    parser.add_argument("url", nargs="+")
    options = parser.parse_args()

    workflow = Workflow.load(options.workflow)
    texts: queue.SimpleQueue[str] = queue.SimpleQueue()
    for line in options.texts.read_text(encoding="utf-8").splitlines():
        if text := line.strip():
            texts.put(text)
    urls = options.url
    while urls and not texts.empty():
        with ThreadPoolExecutor(len(urls)) as pool:
            there = list(pool.map(functools.partial(work, workflow, texts), urls))
        urls = [url for url, is_there in zip(urls, there, strict=True) if is_there]
    if not texts.empty():
        sys.exit(f"{texts.qsize()} texts are left, and no server")


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
