"""``python -m comfyclient.testing``: the embedded server by itself, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import threading

from comfyclient import testing
from comfyclient.testing.versions import NAMES


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m comfyclient.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=8188, help="where to listen (8188); 0 means any free port")
    parser.add_argument(
        "--emulate", choices=NAMES, default=NAMES[-1], help=f"which ComfyUI to behave like ({NAMES[-1]})"
    )
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="what each node takes")
    options = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        server = testing.EmbeddedServer(port=options.port, emulate=options.emulate, latency=options.latency)
        server.start()
    except ModuleNotFoundError as error:  # the extra is not installed
        parser.exit(2, f"{error}\n")
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.exit(1, f"The embedded server cannot listen on port {options.port}: {error.strerror}\n")
    print(f"An embedded ComfyUI {options.emulate} answers at {server.url}", flush=True)  # noqa: T201
    stopped.wait()
    server.stop()


if __name__ == "__main__":
    main()
