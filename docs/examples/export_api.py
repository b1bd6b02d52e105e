"""Turn what the editor saved into an API export: ``python export_api.py portrait-saved.json portrait.json``.

The file is checked against the server's nodes and models as well. With ``--editor`` it goes the other way: an export
becomes a file that the editor opens.
"""

import argparse
import json
import sys
from pathlib import Path

from comfyclient import Client, ComfyError


def main() -> None:
    """Convert, write, and say what the server would not take."""
    parser = argparse.ArgumentParser(description="Convert a workflow between the editor's form and the API's.")
    parser.add_argument("source")
    parser.add_argument("target", type=Path)
    parser.add_argument("--editor", action="store_true", help="write a file for the editor")
    options = parser.parse_args()

    with Client(realtime=False) as client:
        workflow = client.load(options.source)
        catalog = client.nodes.list()
        if options.editor:
            options.target.write_text(json.dumps(workflow.to_editor(catalog)), encoding="utf-8")
        else:
            workflow.save(options.target)
        for problem in workflow.validate(catalog):
            print(problem, file=sys.stderr)
    print("Saved", options.target)


if __name__ == "__main__":
    try:
        main()
    except (ComfyError, OSError) as error:
        sys.exit(str(error))
