"""A service of worker threads and a queue: ``python worker.py portrait.json < texts.txt``.

The main thread takes orders, here one text a line, and never waits for a picture. Two workers do the waiting, so that
the server has the next prompt already when it has finished one. All share one client.
"""

import argparse
import queue
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor

from comfyclient import Client, ComfyError, Workflow

WORKERS = 2


def work(client: Client, workflow: Workflow, orders: "queue.SimpleQueue[str | None]") -> None:
    """Do one order after the other, until there is a None."""
    while (text := orders.get()) is not None:
        mine = workflow.copy()  # a workflow that is edited belongs to one thread
        mine["6"]["text"] = text
        mine["3"]["seed"] = secrets.randbelow(1 << 32)
        try:
            result = client.run(mine)
            paths = result.save(f"images/{result.prompt_id}")
            # Lines with their ends, in one piece: the other workers print as well.
            print(f"{text}: {', '.join(map(str, paths))}\n", end="", flush=True)
        except (ComfyError, OSError) as error:
            print(f"{text}: {error}\n", end="", file=sys.stderr, flush=True)


def main(path: str) -> None:
    """Serve until there are no more lines, and all orders are done."""
    workflow = Workflow.load(path)
    orders: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with Client() as client, ThreadPoolExecutor(WORKERS) as pool:
        workers = [pool.submit(work, client, workflow, orders) for _ in range(WORKERS)]
        for line in sys.stdin:
            if text := line.strip():
                orders.put(text)
        for _ in workers:
            orders.put(None)
        for worker in workers:
            worker.result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run a workflow with each text, a line of standard input.")
    parser.add_argument("workflow")
    options = parser.parse_args()
    try:
        main(options.workflow)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
