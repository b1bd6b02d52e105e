"""Try one server after the other: ``python failover.py portrait.json http://gpu-1:8188 http://gpu-2:8188``.

A server that cannot be reached costs five seconds at most. When none can, all are tried again after a pause that
doubles. What only one of them could do better, such as a workflow that is wrong, is no reason to try the next.
"""

import argparse
import sys
import time

from comfyclient import Client, ComfyError, Result, ServerUnreachable


def run_somewhere(path: str, urls: list[str], rounds: int) -> Result:
    """Run the workflow on the first server that answers."""
    pause = 1.0
    for attempt in range(1, rounds + 1):
        for url in urls:
            try:
                with Client(url) as client:
                    result = client.run(path)
                    result.save("images", overwrite=True)
                    return result
            except ServerUnreachable as error:
                print(error, file=sys.stderr)
                if error.maybe_sent:
                    raise  # it may be running there, so somebody should look before it runs elsewhere too
        if attempt < rounds:
            time.sleep(pause)
            pause = min(2 * pause, 60.0)
    raise ServerUnreachable(", ".join(urls), f"in {rounds} rounds")


def main() -> None:
    """Run it, and tell what came of it."""
    parser = argparse.ArgumentParser(description="Run a workflow on the first server that answers.")
    parser.add_argument("workflow")
    parser.add_argument("url", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(run_somewhere(options.workflow, options.url, options.rounds))


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
