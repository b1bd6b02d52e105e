"""``comfyclient`` as a process, and the servers that it talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.testing import EmbeddedServer
from tests.cli.program import Program
from tests.conftest import _make_idle
from tests.contract.nodes import NODES
from tests.contract.sides import Embedded, Real, Side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServer]:
    """An embedded server with our test nodes, which all tests of the command line share."""
    with EmbeddedServer(NODES) as server:
        yield server


@pytest.fixture
def embedded_side(embedded: EmbeddedServer) -> Iterator[Side]:
    """The embedded server, for tests in which the server hardly matters; it is left idle."""
    yield Embedded(embedded.url, embedded.root)
    _make_idle(embedded.url)


@pytest.fixture(params=["real", "embedded"])
def side(request: pytest.FixtureRequest, comfyui_url: str, embedded_side: Side) -> Side:
    """The server: each test runs once with either."""
    return Real(comfyui_url) if request.param == "real" else embedded_side


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """``comfyclient``, run in ``tmp_path``, with no server in its environment and no configuration file."""
    program = Program(tmp_path)
    yield program
    program.close()


@pytest.fixture
def comfyclient(program: Program, side: Side) -> Program:
    """``comfyclient`` with ``COMFYUI_URL`` set to the server of ``side``."""
    program.environment["COMFYUI_URL"] = side.url
    return program
