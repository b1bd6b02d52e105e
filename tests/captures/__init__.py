"""What real servers sent, by version."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def capture(name: str, version: str = "0.30.0") -> Any:
    """The parsed body that a server of this version sent."""
    return json.loads((HERE / version / f"{name}.json").read_bytes())
