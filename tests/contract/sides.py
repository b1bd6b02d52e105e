"""The real server and the embedded one as a test sees them, and comparing what they tell."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import requests
from PIL import Image

from tests.contract.nodes import GATES
from tests.recorder import Recorder
from tests.workflows import PATIENCE, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RANDOM_PREFIX = re.compile(r"_temp_[a-z]{5}_")  # of PreviewImage
ARRAY = re.compile(r"(tensor\()?\[\[\[")
OURS = re.compile(r"ROOT/custom_nodes/comfyclient_test_nodes\.|tests\.contract\.nodes\.")  # before exceptions
TIMES = {"timestamp", "create_time", "execution_start_time", "execution_end_time"}
EPHEMERAL = re.compile(r"\.\d+\.\d+\.")  # the ids of nodes that another turned into


class Side:
    """One server.

    Attributes:
        name: What it is.
        url: Where it is.
        root: The directory that holds its input, output and temp directories.
    """

    name = ""

    def __init__(self, url: str, root: Path) -> None:
        self.url = url
        self.root = root

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request."""
        return requests.request(method, self.url + path, timeout=PATIENCE, **options)

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        answer = self.ask("GET", path)
        assert answer.ok, answer.text
        return answer.json()

    def submit(self, prompt: Any, client_id: str | None = None, **more: Any) -> str:
        """Submit a workflow that will be accepted; its prompt id."""
        who = {} if client_id is None else {"client_id": client_id}
        answer = self.ask("POST", "/prompt", json={"prompt": prompt, **who, **more})
        assert answer.ok, answer.text
        return str(answer.json()["prompt_id"])

    def listen(self, client_id: str, features: Any = None) -> Recorder:
        """A websocket."""
        return Recorder(self.url, client_id, features)

    def gate(self) -> Gate:
        """A gate that nobody used before."""
        return Gate(self.url)


class Real(Side):
    """A real ComfyUI."""

    name = "real"

    def __init__(self, url: str) -> None:
        folders = requests.get(f"{url}/internal/folder_paths", timeout=PATIENCE).json()
        super().__init__(url, Path(folders["custom_nodes"][0]).parent)


class Embedded(Side):
    """The embedded server."""

    name = "embedded"

    def gate(self) -> Gate:
        """One in this process."""
        return EmbeddedGate(self.url)


class EmbeddedGate(Gate):
    """A gate of the embedded server's TestGate."""

    def wait(self) -> None:
        """Until a prompt has reached the gate."""
        assert GATES[self.name].reached.wait(PATIENCE), "no prompt came to the gate"

    def open(self) -> None:
        """Let it go on; it need not be there yet."""
        GATES[self.name].released.set()


class Both:
    """The two of them."""

    def __init__(self, real: Real, embedded: Embedded) -> None:
        self.real = real
        self.embedded = embedded

    def each(self, story: Callable[[Side], T]) -> tuple[T, T]:
        """What a story comes to on the real server and on the embedded one."""
        return story(self.real), story(self.embedded)

    def agree(self, story: Callable[[Side], Any]) -> Any:
        """What a story comes to on both, which has to be the same; without what no two runs have in common."""
        real, embedded = self.each(lambda side: Plain(side).value(story(side)))
        found = list(itertools.islice(differences(real, embedded), 12))
        assert not found, "\n".join(["real / embedded:", *found])
        return real

    def agree_on(self, method: str, path: str, **options: Any) -> Any:
        """What both answer to a request."""
        return self.agree(lambda side: answered(side.ask(method, path, **options)))


def answered(answer: requests.Response) -> dict[str, Any]:
    """Status, what headers say about the body, and the body."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    kept = ("Content-Type", "Content-Disposition", "X-Content-Type-Options", "Allow", "Content-Encoding", "Location")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    if "Allow" in headers:
        headers["Allow"] = ",".join(sorted(headers["Allow"].split(",")))
    return {"status": answer.status_code, "headers": headers, "body": body}


class Plain:
    """Takes out what no two servers have in common, and only that.

    Ids, times, tracebacks, names made at random, directories, how an array looks as text, the order of what ComfyUI has
    in a set, and which of the nodes that others turned into have a place in a cache.
    """

    def __init__(self, side: Side) -> None:
        self._root = str(side.root)
        self._ids: dict[str, str] = {}

    def value(self, value: Any, key: str = "") -> Any:
        """The value without it."""
        match value:
            case dict():
                value = {self.value(name): self.value(each, name) for name, each in value.items()}
            case list() | tuple():
                value = self._items(list(value), key)
            case bytes():
                value = self.value(frame(value))
            case str():
                value = self._text(value)
            case int() if key in TIMES and value > 10**12:
                value = "a time in milliseconds"
            case float() if math.isnan(value):
                value = "not a number"
        return value

    def _items(self, items: list[Any], key: str) -> list[Any]:
        if key == "traceback":
            return ["a traceback"] * bool(items)
        if key == "current_outputs":
            return sorted(each for each in items if not EPHEMERAL.search(each))
        return sorted(items) if key == "executed" else [self.value(each) for each in items]

    def _text(self, text: str) -> str:
        text = RANDOM_PREFIX.sub("_temp_", UUID.sub(self._numbered, text)).replace(self._root, "ROOT")
        return "an array" if ARRAY.match(text) else OURS.sub("", text)

    def _numbered(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match[0], f"id {len(self._ids) + 1}")


def differences(real: Any, embedded: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, and in what."""
    if isinstance(real, dict) and isinstance(embedded, dict):
        for key in real.keys() | embedded.keys():
            yield from differences(real.get(key, "nothing"), embedded.get(key, "nothing"), f"{path}.{key}")
    elif isinstance(real, list) and isinstance(embedded, list) and len(real) == len(embedded):
        for place, (left, right) in enumerate(zip(real, embedded, strict=True)):
            yield from differences(left, right, f"{path}[{place}]")
    elif real != embedded or type(real) is not type(embedded):
        yield f"{path}: {real!r:.300} / {embedded!r:.300}"


def frame(data: bytes) -> dict[str, Any]:
    """A binary message, taken apart."""
    number = struct.unpack(">I", data[:4])[0]
    found: dict[str, Any] = {"binary": number}
    if number == 1:
        found["image_type"] = struct.unpack(">I", data[4:8])[0]
        found |= frame_of_image(data[8:])
    elif number == 4:
        end = 8 + struct.unpack(">I", data[4:8])[0]
        found["metadata"] = json.loads(data[8:end])
        found |= frame_of_image(data[end:])
    else:
        found["data"] = data[4:].decode()
    return found


def frame_of_image(data: bytes) -> dict[str, Any]:
    """An image, with its pixels if nothing was lost on the way."""
    with Image.open(io.BytesIO(data)) as image:
        found = {"format": image.format, "size": list(image.size), "mode": image.mode}
        return {**found, "pixels": np.asarray(image).tolist()} if image.format == "PNG" else found
