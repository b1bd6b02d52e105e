"""``client.users`` on a real server with ``--multi-user``, and what each user has there."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.errors import AuthenticationError, ServerError
from comfyclient.types import UsersInfo
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer
from tests.conftest import EXTERNAL_URL
from tests.workflows import fresh_color, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import ComfyUI

    Connect = Callable[[str | None], Client]


@pytest.fixture(scope="module")
def multi_user_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if EXTERNAL_URL:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    installation = find()
    assert installation, "run `make comfyui`"
    with RealServer(installation, "--multi-user", base_directory=tmp_path_factory.mktemp("comfyui")) as server:
        yield server.url


@pytest.fixture
def connect(multi_user_url: str) -> Iterator[Connect]:
    """Makes a client that a user has; ``None`` for nobody."""
    with ExitStack() as clients:
        yield lambda user: clients.enter_context(Client(multi_user_url, user=user))


@pytest.fixture
def nobody(connect: Connect) -> Client:
    return connect(None)


def test_who_is_there(nobody: Client) -> None:
    alice, bob = nobody.users.create("Alice Ö"), nobody.users.create("Bob")
    info = nobody.users.list()

    assert info.multi_user
    assert info.storage == "server"
    assert info.users is not None
    assert info.users.items() >= {(alice, "Alice Ö"), (bob, "Bob")}
    assert bob.startswith("Bob_")
    assert info.extra == {}


@pytest.mark.parametrize(
    ("name", "says"),
    [("", "username not provided"), ("  ", "username not provided"), ("__x", "prefix not allowed")],
)
def test_who_cannot_be(nobody: Client, name: str, says: str) -> None:
    with pytest.raises(ServerError, match=f"400: .*{says}"):
        nobody.users.create(name)


def test_nobody_is_there_twice(nobody: Client) -> None:
    nobody.users.create("Carol")
    with pytest.raises(ServerError, match="400: Duplicate username"):
        nobody.users.create("Carol")


def test_two_users_do_not_see_each_others_files(nobody: Client, connect: Connect) -> None:
    dave, erin = (connect(nobody.users.create(name)) for name in ("Dave", "Erin"))
    assert dave.userdata.list() == ()
    assert dave.userdata.tree() == ()
    dave.userdata.write("workflows/mine.json", {"of": "dave"})
    erin.userdata.write("workflows/mine.json", {"of": "erin"})
    erin.userdata.write("workflows/more.json", {})

    assert dave.userdata.read("workflows/mine.json") == b'{"of": "dave"}'
    assert [file.name for file in dave.userdata.list("workflows")] == ["mine.json"]
    assert [file.name for file in erin.userdata.list("workflows")] == ["mine.json", "more.json"]
    assert [entry.path for entry in dave.userdata.tree()] == ["workflows", "workflows/mine.json"]
    dave.userdata.delete("workflows/mine.json")
    assert erin.userdata.read("workflows/mine.json") == b'{"of": "erin"}'


def test_two_users_have_their_own_settings(nobody: Client, connect: Connect) -> None:
    frank, grace = (connect(nobody.users.create(name)) for name in ("Frank", "Grace"))
    frank.settings.set("Comfy.Locale", "pl")

    assert frank.settings.all() == {"Comfy.Locale": "pl"}
    assert grace.settings.all() == {}


@pytest.mark.parametrize("user", [None, "Nobody_1234", "__system"])
def test_who_is_unknown_is_told_what_to_do(connect: Connect, user: str | None) -> None:
    stranger = connect(user)

    for use in (
        stranger.settings.all,
        lambda: stranger.settings.get("a"),
        lambda: stranger.settings.set("a", 1),
        lambda: stranger.settings.update({"a": 1}),
        stranger.userdata.tree,
        lambda: stranger.userdata.tree("workflows"),
    ):
        with pytest.raises(AuthenticationError, match=r"--multi-user and does not know the user; Client\(user="):
            use()
    for use in (
        stranger.userdata.list,
        lambda: stranger.userdata.read("a/b"),
        lambda: stranger.userdata.write("a/b", b""),
        lambda: stranger.userdata.delete("a/b"),
        lambda: stranger.userdata.move("a/b", "c"),
    ):
        with pytest.raises(ServerError, match=r"500: .*perhaps .*--multi-user .*; Client\(user="):
            use()


def test_prompts_are_everybodys(nobody: Client) -> None:
    assert nobody.run(plain(fresh_color())).images


def test_a_server_for_one(client: Client, comfyui: ComfyUI) -> None:
    if not comfyui.own:
        pytest.skip("a foreign server may be for many")
    client.settings.update({})

    assert client.users.list() == UsersInfo("server", migrated=True)
    assert not client.users.list().multi_user
