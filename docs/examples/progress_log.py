"""Tell what happens to all jobs, by callbacks: ``python progress_log.py portrait.json another.json``.

Callbacks run on a thread of the client, one after the other, so they share what they know without locks.
"""

import argparse
import sys
import time

from comfyclient import Client, ComfyError
from comfyclient.events import (
    Disconnected,
    Event,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionStart,
    Progress,
    Reconnected,
)


class Log:
    """Prints one line for whatever is worth one."""

    def __init__(self, client: Client) -> None:
        self._started: dict[str, float] = {}
        self._tenths = 0  # of the node that runs, as far as it was said
        client.on(ExecutionStart, self.start)
        client.on(ExecutionCached, self.cached)
        client.on(Progress, self.progress)
        client.on(Executing, self.executing)
        client.on(ExecutionError, self.error)
        client.on(Disconnected, self.connection)
        client.on(Reconnected, self.connection)

    def say(self, event: Event, text: str) -> None:
        """One line: the prompt, the seconds since it began, and what there is to say."""
        prompt_id = event.prompt_id or ""
        seconds = time.monotonic() - self._started.get(prompt_id, time.monotonic())
        print(f"{prompt_id[:8]:8} {seconds:6.1f} s  {text}", flush=True)

    def start(self, event: ExecutionStart) -> None:
        """It is its turn."""
        self._started[event.prompt_id] = time.monotonic()
        self.say(event, "runs")

    def cached(self, event: ExecutionCached) -> None:
        """These nodes need not run."""
        if event.nodes:
            self.say(event, f"nodes {', '.join(event.nodes)} are still known")

    def progress(self, event: Progress) -> None:
        """How far a node is, said once for each tenth."""
        tenths = int(10 * event.value / event.max)
        if tenths > self._tenths:
            self._tenths = tenths
            self.say(event, f"node {event.node} is at {10 * tenths} %")

    def executing(self, event: Executing) -> None:
        """Another node begins, or the prompt has ended."""
        self._tenths = 0
        self.say(event, "has ended" if event.node is None else f"node {event.node} begins")

    def error(self, event: ExecutionError) -> None:
        """A node raised."""
        self.say(event, f"node {event.node_id} failed: {event.exception_message}")

    def connection(self, event: Event) -> None:
        """The websocket is lost, or back; jobs go on meanwhile."""
        self.say(event, f"the connection: {event.type}")


def main(paths: list[str]) -> None:
    """Submit all workflows, and wait for them while the callbacks talk."""
    with Client() as client:
        Log(client)
        jobs = [client.submit(path) for path in paths]
        failed = [job for job in jobs if job.exception() is not None]
    if failed:
        sys.exit(f"{len(failed)} of {len(jobs)} failed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run workflows, and tell what happens to them.")
    parser.add_argument("workflow", nargs="+")
    options = parser.parse_args()
    try:
        main(options.workflow)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
