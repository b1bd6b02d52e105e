"""``client.userdata``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import AuthenticationError, DecodeError, NotFound, ServerError, Unsupported
from comfyclient.resources import Userdata
from comfyclient.types import UserEntry, UserFile
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._http import Transport

FAILED = reply(500, "500 Internal Server Error\n\nServer got itself in trouble", "text/plain; charset=utf-8")
NOT_ALLOWED = reply(405, "405: Method Not Allowed", "text/plain; charset=utf-8")
WRITTEN = {"path": "a.json", "size": 7, "modified": 1795331138185, "created": 1795331138229}


def answer(name: str) -> bytes:
    """What the server answered when it was asked this."""
    captured = capture("userdata")[name]
    if "json" in captured:
        return json_reply(captured["json"], captured["status"])
    return reply(captured["status"], captured["text"], captured["content_type"])


@pytest.fixture
def userdata(to_flaky: Transport) -> Userdata:
    return Userdata(to_flaky)


# --- list ---------------------------------------------------------------------------------------------------


def test_list(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /userdata?dir=workflows&full_info=true")]

    assert userdata.list("workflows") == (
        UserFile("workflows/my wf.json", 7, modified=1795331138.185, created=1795331138.185),
    )
    (request,) = flaky.requests
    assert (request.method, request.path) == ("GET", "/userdata")
    assert request.query == {"dir": "workflows", "full_info": "true"}


def test_list_of_all_below(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /userdata?dir=workflows&recurse=true&split=true&full_info=true")]
    files = userdata.list("workflows/", recurse=True)

    assert [(file.path, file.name) for file in files] == [
        ("workflows/my wf.json", "my wf.json"),
        ("workflows/sub/deep.json", "deep.json"),
    ]
    assert flaky.requests[0].query == {"dir": "workflows", "recurse": "true", "full_info": "true"}


def test_list_of_the_users_own_directory(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([{"path": "z", "size": 1}, {"path": "a", "size": 2}])]

    assert [file.path for file in userdata.list()] == ["a", "z"]
    assert flaky.requests[0].query["dir"] == "."


def test_list_by_servers_of_2024(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [
        answer("GET /userdata?dir=workflows"),
        json_reply([{"path": "a", "size": 1, "modified": 1731000000.25, "created": 1731000000}]),  # seconds
    ]

    assert userdata.list("workflows") == (UserFile("workflows/my wf.json"),)
    assert userdata.list() == (UserFile("a", 1, modified=1731000000.25, created=1731000000.0),)


def test_a_directory_that_is_not_there_is_empty(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /userdata?dir=nope"), reply(404, "Requested path not found", "text/plain")]

    assert userdata.list("nope") == ()
    assert userdata.tree("nope") == ()


def test_a_directory_that_is_not_there_by_servers_of_2024(userdata: Userdata, flaky: FlakyServer) -> None:
    """They say the same of it as those before them, which had no lists, say of the route."""
    flaky.answers = [reply(404), reply(400)]
    assert userdata.list("x") == ()
    assert [request.query.get("dir") for request in flaky.requests] == ["x", None]


def test_a_server_without_lists(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404)]
    with pytest.raises(Unsupported, match=r"does not have GET /userdata, which came with version 0\.0\.1$"):
        userdata.list()


def test_a_server_that_fails_to_say_whether_it_has_lists(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), reply(418)]
    with pytest.raises(ServerError, match="418"):
        userdata.list()


def test_a_list_that_does_not_exist_is_no_empty_one(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [
        reply(404, "<title>No such site</title>", "text/html"),
        json_reply({"error": "no such server"}, 404),
    ]

    with pytest.raises(NotFound, match="404: No such site"):
        userdata.list("x")
    with pytest.raises(NotFound, match="404: no such server"):
        userdata.list("x")
    with pytest.raises(NotFound, match="404: no such server"):
        userdata.tree("x")
    with pytest.raises(NotFound, match="404: no such server"):
        userdata.read("x")


@pytest.mark.parametrize(
    "body",
    [
        {},
        None,
        [1],
        [None],
        [{"size": 1}],
        [{"path": 1}],
        [{"path": "a", "modified": "x"}],
        [{"path": "a", "size": 1.5}],
    ],
)
def test_a_list_of_another_form(userdata: Userdata, flaky: FlakyServer, body: Any) -> None:
    flaky.answers = [json_reply(body)]

    with pytest.raises(DecodeError):
        userdata.list()


def test_what_else_the_server_says_is_kept(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([{"path": "a", "owner": "b"}])]

    assert userdata.list("d") == (UserFile("d/a", extra={"owner": "b"}),)


# --- tree ---------------------------------------------------------------------------------------------------


def test_tree(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /v2/userdata"), answer("GET /v2/userdata?path=workflows")]
    everything, below = userdata.tree(), userdata.tree("workflows")

    assert everything[0] == UserEntry("workflows/sub", "sub", "directory")
    assert everything[2] == UserEntry("comfy.settings.json", "comfy.settings.json", "file", 69, 1795331138.1719532)
    assert [entry.path for entry in below] == ["workflows/sub", "workflows/sub/deep.json", "workflows/my wf.json"]
    assert [r.target for r in flaky.requests] == ["/v2/userdata", "/v2/userdata?path=workflows"]


def test_tree_of_a_server_without(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404)]

    with pytest.raises(Unsupported, match=r"does not have GET /v2/userdata, which came with version 0\.3\.30"):
        userdata.tree()


def test_tree_of_a_file(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /v2/userdata?path=workflows/my%20wf.json"), reply(404, "of a proxy", "text/plain")]

    with pytest.raises(ServerError, match="400: Requested path is not a directory"):
        userdata.tree("workflows/my wf.json")
    with pytest.raises(NotFound, match="404: of a proxy"):
        userdata.tree("x")


@pytest.mark.parametrize("body", [{}, ["a"], [{"path": "a", "name": "a"}]])
def test_a_tree_of_another_form(userdata: Userdata, flaky: FlakyServer, body: Any) -> None:
    flaky.answers = [json_reply(body)]

    with pytest.raises(DecodeError):
        userdata.tree()


# --- paths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("user.css", "user.css"),
        ("workflows/a b.json", "workflows%2Fa%20b.json"),
        ("./w//a/../b", "w%2Fb"),
        ("a..b", "a..b"),
        ("żółw?#&+", "%C5%BC%C3%B3%C5%82w%3F%23%26%2B"),
        ("back\\slash", "back%5Cslash"),
        ("a%20b", "a%252520b"),  # the server unescapes twice
        ("100%", "100%2525"),
    ],
)
def test_a_path_is_escaped_as_the_server_unescapes_it(
    userdata: Userdata, flaky: FlakyServer, path: str, target: str
) -> None:
    flaky.answers = [reply(body=b"content")]
    userdata.read(path)

    assert flaky.requests[0].target == f"/userdata/{target}"


def test_so_is_a_directory(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([])]
    userdata.list("a%20b/c d")
    userdata.tree("a%20b/c d")

    assert flaky.requests[0].query["dir"] == "a%2520b/c d"
    assert flaky.requests[1].query["path"] == "a%252520b/c d", "this one the server unescapes three times"


@pytest.mark.parametrize("path", ["", ".", "..", "/etc/passwd", "../x", "a/../../x", "a/..", "dir/", "dir/.", "a\0b"])
def test_what_is_no_files_path_is_not_asked_for(userdata: Userdata, flaky: FlakyServer, path: str) -> None:
    uses: list[Callable[[], object]] = [
        lambda: userdata.read(path),
        lambda: userdata.write(path, b""),
        lambda: userdata.delete(path),
        lambda: userdata.move(path, "x"),
        lambda: userdata.move("x", path),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=r"write it like 'workflows/portrait\.json'"):
            use()

    assert not flaky.requests


@pytest.mark.parametrize("path", ["/", "..", "../..", "a/../.."])
def test_what_is_outside_is_not_listed(userdata: Userdata, flaky: FlakyServer, path: str) -> None:
    with pytest.raises(ValueError, match="below the user's directory"):
        userdata.list(path)
    with pytest.raises(ValueError, match="below the user's directory"):
        userdata.tree(path)

    assert not flaky.requests


def test_a_proxy_that_unescapes_paths_gets_them_escaped_twice(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [NOT_ALLOWED, json_reply(WRITTEN), reply(404), reply(body=b"x"), NOT_ALLOWED, json_reply(WRITTEN)]
    userdata.write("w/a b%.json", b"x")
    assert userdata.read("w/a.json") == b"x"
    userdata.move("a.json", "w/b.json")

    assert [(r.method, r.path) for r in flaky.requests] == [
        ("POST", "/userdata/w%2Fa%20b%2525.json"),
        ("POST", "/userdata/w%252Fa%2520b%2525.json"),
        ("GET", "/userdata/w%2Fa.json"),
        ("GET", "/userdata/w%252Fa.json"),
        ("POST", "/userdata/a.json/move/w%2Fb.json"),
        ("POST", "/userdata/a.json/move/w%252Fb.json"),
    ]
    assert flaky.requests[1].body == b"x"
    assert flaky.requests[1].query == flaky.requests[0].query


def test_only_a_slash_gives_a_reason_to_try_that(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), FAILED]
    with pytest.raises(NotFound):
        userdata.read("a.json")
    with pytest.raises(ServerError):
        userdata.read("w/a.json")

    assert len(flaky.requests) == 2


def test_the_refusal_that_says_more_is_raised(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), reply(404), NOT_ALLOWED, reply(404)]
    with pytest.raises(NotFound) as direct:
        userdata.read("w/a.json")
    with pytest.raises(NotFound) as through_a_proxy:
        userdata.delete("w/a.json")

    assert str(direct.value) == (f"GET {flaky.url}/userdata/w%2Fa.json answered 404: there is no such file: 'w/a.json'")
    assert "there is no such file" in str(through_a_proxy.value)


# --- read ---------------------------------------------------------------------------------------------------


def test_read(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(body=b'{"a": 2}', kind="application/json")]

    assert userdata.read("workflows/my wf.json") == b'{"a": 2}'
    (request,) = flaky.requests
    assert (request.method, request.target) == ("GET", "/userdata/workflows%2Fmy%20wf.json")
    assert request.headers["accept-encoding"] == "identity"


def test_read_what_is_none(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("GET /userdata/nope.json"), answer("get a dir")]

    with pytest.raises(NotFound, match=r"404: there is no such file: 'nope\.json'"):
        userdata.read("nope.json")
    with pytest.raises(
        AuthenticationError, match="403: it is a directory, or something before the server refuses access: 'workflows'"
    ):
        userdata.read("workflows")


# --- write --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        (b"", b""),
        ("żółw", "żółw".encode()),
        ({"a": [1, None, "ż"]}, rb'{"a": [1, null, "\u017c"]}'),
        ([], b"[]"),
        ((1, 2), b"[1, 2]"),
    ],
)
def test_write(userdata: Userdata, flaky: FlakyServer, data: Any, body: bytes) -> None:
    flaky.answers = [answer("POST /userdata/workflows%2Fmy%20wf.json?full_info=true")]

    assert userdata.write("workflows/my wf.json", data) == UserFile(
        "workflows/my wf.json", 7, modified=1795331138.185, created=1795331138.185
    )
    (request,) = flaky.requests
    assert (request.method, request.path) == ("POST", "/userdata/workflows%2Fmy%20wf.json")
    assert request.query == {"overwrite": "true", "full_info": "true"}
    assert request.body == body
    assert request.headers["content-length"] == str(len(body))


def test_what_older_servers_say_of_a_file_that_was_written(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("POST /userdata/workflows%2Fmy%20wf.json"), reply()]

    assert userdata.write("workflows/my wf.json", b"") == UserFile("workflows/my wf.json")
    assert userdata.write("user.css", b"") == UserFile("user.css")


@pytest.mark.parametrize("body", [None, 5, [], {}, {"path": None}])
def test_what_no_server_says_of_it(userdata: Userdata, flaky: FlakyServer, body: Any) -> None:
    flaky.answers = [json_reply(body)]

    with pytest.raises(DecodeError):
        userdata.write("a.json", b"")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (None, TypeError),
        (5, TypeError),
        ({1, 2}, TypeError),
        ({"a": b""}, TypeError),
        ({"a": float("nan")}, ValueError),
        ("\udcff", ValueError),
    ],
)
def test_what_cannot_be_written_is_not_sent(
    userdata: Userdata, flaky: FlakyServer, data: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        userdata.write("a.json", data)

    assert not flaky.requests


def test_a_file_that_exists_is_kept_if_so_wished(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [answer("POST /userdata/workflows%2Fmy%20wf.json?overwrite=false"), reply(409)]
    for _ in flaky.answers:
        with pytest.raises(ServerError, match=r"409: it exists already, and overwrite=True was not given: 'a\.json'"):
            userdata.write("a.json", b"", overwrite=False)

    assert flaky.requests[0].query["overwrite"] == "false"


def test_a_refusal_says_why(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(400), answer("userdata 2MB with max-upload 1MB"), reply(403, "By a proxy", "text/plain")]

    with pytest.raises(ServerError, match="400: no file can be there: it is a directory, the way to it leads"):
        userdata.write("a", b"")
    with pytest.raises(ServerError, match="413: Maximum request body size 1048576 exceeded"):
        userdata.write("a", b"")
    with pytest.raises(AuthenticationError, match="403: By a proxy"):
        userdata.write("a", b"")


# --- delete and move ----------------------------------------------------------------------------------------


def test_delete(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [reply(204), answer("DELETE /userdata/workflows%2Fr2.json"), answer("delete a dir")]
    userdata.delete("workflows/r2.json")

    assert [(r.method, r.target) for r in flaky.requests] == [("DELETE", "/userdata/workflows%2Fr2.json")]
    with pytest.raises(NotFound, match="404: there is no such file: 'r2'"):
        userdata.delete("r2")
    with pytest.raises(ServerError, match=r"500: the server failed: perhaps it is a directory; or .*user="):
        userdata.delete("workflows")


def test_move(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [
        answer("POST /userdata/workflows%2Frenamed.json/move/workflows%2Fr2.json?full_info=true"),
        answer("POST /userdata/workflows%2Fmy%20wf.json/move/workflows%2Frenamed.json"),
    ]

    assert userdata.move("workflows/renamed.json", "workflows/r2.json") == UserFile(
        "workflows/r2.json", 7, modified=1795331138.185, created=1795331138.229
    )
    assert userdata.move("a%b", "c d", overwrite=True) == UserFile("workflows/renamed.json")
    assert [(r.method, r.target) for r in flaky.requests] == [
        (
            "POST",
            "/userdata/workflows%2Frenamed.json/move/workflows%2Fr2.json?overwrite=false&full_info=true",
        ),
        ("POST", "/userdata/a%2525b/move/c%20d?overwrite=true&full_info=true"),
    ]


def test_move_refused(userdata: Userdata, flaky: FlakyServer) -> None:
    taken = "POST /userdata/workflows%2Frenamed.json/move/workflows%2Fsub%2Fdeep.json?overwrite=false"
    flaky.answers = [answer("POST /userdata/nope/move/x"), answer(taken)]

    with pytest.raises(NotFound, match="404: there is no such file: 'nope' to 'x'"):
        userdata.move("nope", "x")
    with pytest.raises(ServerError, match="409: it exists already, and overwrite=True was not given: 'a' to 'w/b'"):
        userdata.move("a", "w/b")


def test_delete_and_move_of_a_server_without(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [NOT_ALLOWED]

    with pytest.raises(Unsupported, match=r"does not have DELETE /userdata/\{file\}, which came with"):
        userdata.delete("a/b")
    with pytest.raises(Unsupported, match=r"does not have POST /userdata/\{file\}/move/\{dest\}"):
        userdata.move("a", "b")
    with pytest.raises(ServerError, match="405: Method Not Allowed"):
        userdata.write("a", b"")


# --- users --------------------------------------------------------------------------------------------------


def test_a_user_that_the_server_does_not_know_is_told_what_to_do(userdata: Userdata, flaky: FlakyServer) -> None:
    flaky.answers = [
        answer("GET /userdata?dir=x"),
        reply(403, "Invalid user specified in request", "text/plain"),
        FAILED,
    ]

    with pytest.raises(ServerError, match=r"500: the server failed; perhaps .*--multi-user .*Client\(user=\.\.\.\)"):
        userdata.list("x")
    with pytest.raises(AuthenticationError, match=r"403: the server was started with --multi-user .*user=") as caught:
        userdata.tree()
    assert (caught.value.status, caught.value.method) == (403, "GET")
    with pytest.raises(ServerError, match=r"500: the server failed: .* --multi-user .*user="):
        userdata.read("a")
