"""Submit now, collect later: ``python reattach.py submit portrait.json``, then ``python reattach.py collect ID``."""

import sys

from comfyclient import Client, ComfyError, Workflow


def submit(path: str) -> None:
    """Put a workflow into the server's queue and print the id of the job."""
    with Client(realtime=False) as client:  # nobody stays to listen to its events
        print(client.submit(Workflow.load(path)).prompt_id)


def collect(prompt_id: str) -> None:
    """Wait for a job, whoever submitted it, and save what it made."""
    with Client() as client:
        result = client.job(prompt_id).result()
        print("Saved", *result.save("images", overwrite=True))


if __name__ == "__main__":
    action, argument = sys.argv[1:3]
    try:
        {"submit": submit, "collect": collect}[action](argument)
    except ComfyError as error:
        sys.exit(str(error))
