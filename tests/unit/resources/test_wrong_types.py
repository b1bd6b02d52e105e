"""What is of the wrong type is refused in one sentence, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from comfyclient.types import FileInfo
from tests.fakes import nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def client() -> Iterator[Client]:
    with nobody() as url, Client(url, retry=None) as client:
        yield client


TAKES_A_STRING: dict[str, Callable[[Client, Any], object]] = {
    "queue.delete": lambda client, value: client.queue.delete(value),
    "history.get": lambda client, value: client.history.get(value),
    "history.delete": lambda client, value: client.history.delete(value),
    "jobs.get": lambda client, value: client.jobs.get(value),
    "jobs.cancel": lambda client, value: client.jobs.cancel(value),
    "jobs.cancel_all": lambda client, value: client.jobs.cancel_all([value]),
    "files.list": lambda client, value: client.files.list(value),
    "nodes.get": lambda client, value: client.nodes.get(value),
    "nodes.search": lambda client, value: client.nodes.search(value),
    "models.list": lambda client, value: client.models.list(value),
    "models.details": lambda client, value: client.models.details(value),
    "models.metadata": lambda client, value: client.models.metadata(value, "a"),
    "templates.get": lambda client, value: client.templates.get(value),
    "templates.subgraph": lambda client, value: client.templates.subgraph(value),
    "userdata.read": lambda client, value: client.userdata.read(value),
    "userdata.list": lambda client, value: client.userdata.list(value),
    "userdata.move": lambda client, value: client.userdata.move("a", value),
    "settings.get": lambda client, value: client.settings.get(value),
    "users.create": lambda client, value: client.users.create(value),
    "upload subfolder": lambda client, value: client.files.upload_image(b"x", filename="a", subfolder=value),
    "upload type": lambda client, value: client.files.upload_image(b"x", filename="a", type=value),
}


@pytest.mark.parametrize("value", [5, b"a", ["a"], None])
@pytest.mark.parametrize("name", TAKES_A_STRING)
def test_what_takes_a_string_takes_nothing_else(client: Client, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=r"is a string, not (int|bytes|list|NoneType): "):
        TAKES_A_STRING[name](client, value)


@pytest.mark.parametrize("value", [5, b"a", ["a"]])
def test_where_nothing_means_something_else(client: Client, value: Any) -> None:
    for ask in (client.queue.interrupt, lambda value: client.files.upload_image(b"x", filename=value)):
        with pytest.raises(TypeError, match=r"is a string, not (int|bytes|list): "):
            ask(value)


@pytest.mark.parametrize("value", [5, b"a", ["a"], None])
def test_a_file_is_something_with_a_name(client: Client, value: Any) -> None:
    for ask in (client.files.read, client.files.stat, client.files.url, client.files.exists):
        with pytest.raises(TypeError, match="a file is a name, a FileInfo, an OutputFile or a mapping, not "):
            ask(value)
    with pytest.raises(TypeError, match="the subfolder of a file is a string, not int: 5"):
        client.files.read(FileInfo("a", 5))  # type: ignore[arg-type]  # which is what is tested


@pytest.mark.parametrize("value", ["5", 5.0, [5]])
def test_a_number_of_prompts_is_a_number(client: Client, value: Any) -> None:
    with pytest.raises(TypeError, match="limit is a number of prompts, not "):
        client.history.list(limit=value)
    with pytest.raises(TypeError, match="offset is a number of prompts"):
        client.history.list(offset=value)
