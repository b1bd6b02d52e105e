"""Submit now, collect later: ``python reattach.py submit portrait.json``, then ``python reattach.py collect ID``."""

import argparse
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
    parser = argparse.ArgumentParser(description="Submit a workflow now, and collect what it made later.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("submit").add_argument("workflow")
    actions.add_parser("collect").add_argument("id")
    options = parser.parse_args()
    try:
        if options.action == "submit":
            submit(options.workflow)
        else:
            collect(options.id)
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
