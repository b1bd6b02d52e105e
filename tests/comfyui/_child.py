"""Runs the main.py of a ComfyUI, and dies with whoever started it.

Standard input is a pipe into which nobody writes: it ends when the parent does, however hard that was killed.
"""

import os
import runpy
import signal
import sys
import threading


def die_with_parent() -> None:
    """Wait for the end of standard input, then kill the process group, which is ours alone."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=die_with_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    # As if main.py had been started: its neighbours are importable and ours are not.
    sys.path[0] = os.getcwd()  # noqa: PTH109 - sys.path takes strings
    runpy.run_path(sys.argv[0], run_name="__main__")
