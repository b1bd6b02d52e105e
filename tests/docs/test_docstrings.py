"""The examples in docstrings are true: each is executed, on an embedded server that nobody used before."""

from __future__ import annotations

import doctest
import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

import comfyclient
from comfyclient import Client, Workflow, as_completed, builder, testing
from comfyclient.testing import EmbeddedServer
from tests.docs.pages import Page
from tests.docs.public import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "http://127.0.0.1:8188"  # as docstrings write it

# Where people start; these have an example.
ENTRANCES = {
    "Client",
    *(f"Client.{name}" for name in ("run", "submit", "map", "on", "listen")),
    "Job",
    "OutputFile.save",
    "Result",
    "Workflow",
    *(f"Workflow.{name}" for name in ("load", "find", "set", "validate")),
    "as_completed",
    "testing.EmbeddedServer",
}


def _examples() -> Iterator[tuple[str, str]]:
    """Each docstring that has an example, and whose it is."""
    seen = set()
    for name, value in PUBLIC.items():
        parts = inspect.getmembers(value) if inspect.isclass(value) else []
        for member, each in [("", value), *parts]:
            text = inspect.getdoc(each) if callable(each) or isinstance(each, property) else None
            if text and ">>>" in text and text not in seen and not member.startswith("_"):
                seen.add(text)
                yield ".".join(filter(None, [name.removeprefix("comfyclient."), member])), text


EXAMPLES = dict(_examples())


@pytest.fixture
def names(embedded_place: Path, comfy_client: Client) -> dict[str, Any]:
    """What a reader of an example has at hand."""
    return {
        "Client": Client,
        "EmbeddedServer": EmbeddedServer,
        "Workflow": Workflow,
        "as_completed": as_completed,
        "client": comfy_client,
        "workflow": Workflow.load(embedded_place / "portrait.json"),
    }


def failures(name: str, text: str, names: dict[str, Any]) -> str:
    """What the examples give that they do not say."""
    test = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, names: dict[str, Any], comfy_server: EmbeddedServer) -> None:
    assert failures(name, EXAMPLES[name].replace(SERVER, comfy_server.url), names) == ""


def test_an_example_that_is_not_true_is_found() -> None:
    assert "Expected:\n    3\nGot:\n    2" in failures("x", ">>> 1 + 1\n3\n", {})


def test_where_people_start_there_is_an_example() -> None:
    assert ENTRANCES - EXAMPLES.keys() == set()


@pytest.mark.parametrize("package", [comfyclient, builder, testing])
def test_a_package_does_what_its_docstring_says(
    package: Any, embedded_place: Path, comfy_server: EmbeddedServer
) -> None:
    code = re.findall(r"^    (.*)$|^()$", package.__doc__, re.MULTILINE)
    page = embedded_place / "docstring.md"
    before = "" if package is comfyclient else "from comfyclient import Client\nclient = Client()\n"
    page.write_text(f"```python\n{before}{chr(10).join(line for line, _ in code)}\n```\n", encoding="utf-8")
    assert Page(page, {SERVER: comfy_server.url}).run() == 1
