"""``client.assets``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import io
import json
import pickle
import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from comfyclient._convert import structure
from comfyclient._http import CHUNK, Transport
from comfyclient.config import ClientConfig, Retry
from comfyclient.errors import DecodeError, NotFound, ServerError, ServerUnreachable, Unsupported
from comfyclient.resources import Assets
from comfyclient.types import Asset, AssetsPage, HistoryEntry
from tests.captures import capture
from tests.fakes import Answer, FlakyServer, json_reply, last_words, reply
from tests.unit.resources.asset_answers import CAPTURES, ENABLED, HASH, ID, PATH, answering, asked, captured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from pathlib import Path

    from tests.fakes import Request

CONTENT = bytes(range(256)) * (3 * CHUNK // 256) + b"tail"


def entry(number: int) -> dict[str, Any]:
    return {"id": str(uuid.UUID(int=number)), "name": f"asset {number}"}


@pytest.fixture
def patient(flaky: FlakyServer) -> Iterator[Assets]:
    """With three attempts for what may be tried again."""
    config = ClientConfig(url=flaky.url, retry=Retry(first=0.001), read_timeout=10)
    with closing(Transport(config)) as transport:
        yield Assets(transport)


# --- whether there are any --------------------------------------------------------------------------------------


CALLS: list[Callable[[Assets], object]] = [
    lambda assets: assets.list(),
    lambda assets: list(assets.iter()),
    lambda assets: assets.get(ID),
    lambda assets: assets.update(ID, name="a"),
    lambda assets: assets.delete(ID),
    lambda assets: assets.read(ID),
    lambda assets: list(assets.stream(ID)),
    lambda assets: assets.download(ID, "a"),
    lambda assets: assets.upload(b"abc"),
    lambda assets: assets.from_hash(HASH),
    lambda assets: assets.exists(HASH),
    lambda assets: assets.tags.add(ID, "a"),
    lambda assets: assets.tags.remove(ID, "a"),
    lambda assets: assets.tags.list(),
    lambda assets: assets.tags.refine(),
    lambda assets: assets.seeding.start(),
    lambda assets: assets.seeding.status(),
    lambda assets: assets.seeding.cancel(),
    lambda assets: assets.seeding.prune(),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_server_with_assets_off_says_so_at_once(
    patient: Assets, flaky: FlakyServer, call: Callable[[Assets], object]
) -> None:
    flaky.answers = [json_reply(capture("features"))]
    with pytest.raises(ServerError, match=r"/api/.* answered 503: .* start the server with --enable-assets") as caught:
        call(patient)
    assert caught.value.status == 503
    assert caught.value.body["error"]["code"] == CAPTURES["disabled GET /api/assets"]["json"]["error"]["code"]
    assert [request.target for request in flaky.requests] == ["/features"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("features", [reply(404), json_reply({"max_upload_size": 104857600})])
def test_a_server_without_the_routes_is_too_old(
    assets: Assets, flaky: FlakyServer, features: bytes, call: Callable[[Assets], object]
) -> None:
    flaky.answers = [features, reply(404)]
    with pytest.raises(Unsupported, match=r"does not have [A-Z]+ /api/(assets|tags)\S*, which came with version 0\.9"):
        call(assets)
    assert [request.path for request in flaky.requests] == ["/features", "/api/tags"]


def test_a_server_older_than_the_switch_has_assets(assets: Assets, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({}), captured("GET /api/tags?limit=3"), captured("GET /api/assets")]

    assert len(assets.list().assets) == 2


def test_it_is_asked_once_for_all_parts(assets: Assets, flaky: FlakyServer) -> None:
    answers = ("GET /api/assets", "GET /api/tags?limit=3", "GET /api/assets/seed/status")
    answering(flaky, *map(captured, answers))
    assets.list()
    assets.tags.list()
    assets.seeding.status()
    targets = ["/features", "/api/assets", "/api/tags", "/api/assets/seed/status"]
    assert [request.target for request in flaky.requests] == targets


def test_it_is_asked_again_as_long_as_there_are_none(assets: Assets, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"assets": False}), ENABLED, captured("GET /api/assets")]
    with pytest.raises(ServerError):
        assets.list()
    assert assets.list().total == 2


def test_a_server_that_lost_them_says_so_itself(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("disabled GET /api/assets"))
    with pytest.raises(ServerError, match=r"answered 503: .*--enable-assets"):
        assets.list()


# --- the catalogue ----------------------------------------------------------------------------------------------


def test_list(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("GET /api/assets"))
    page = assets.list()

    assert asked(flaky).target == "/api/assets"
    assert (page.total, page.has_more, page.next_cursor, page.extra) == (2, False, None, {})
    model = page.assets[0]
    assert model.name == "test.safetensors"
    assert model.hash == model.asset_hash == "blake3:390d637b84b28b2a10acdb2c4309a321482f1aac7d29942e0b0e56b1072f7f01"
    assert (model.loader_path, model.display_name) == ("sub/test.safetensors", "loras/sub/test.safetensors")
    assert (model.size, model.mime_type) == (136, "application/safetensors")
    assert model.tags == ("model_type:loras", "models")
    assert model.user_metadata == {"filename": "sub/test.safetensors"}
    assert model.metadata is not None
    assert model.metadata["format"] == "safetensors"
    assert model.created_at == datetime(2026, 11, 22, 7, 9, 11, 316470, tzinfo=timezone.utc)
    assert (model.is_immutable, model.job_id, model.created_new, model.extra) == (False, None, None, {})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"include_tags": ["input", "a b"]}, {"include_tags": "input,a b"}),
        ({"include_tags": "input"}, {"include_tags": "input"}),
        ({"exclude_tags": iter(["output"])}, {"exclude_tags": "output"}),
        ({"name_contains": "50%&"}, {"name_contains": "50%&"}),
        ({"metadata_filter": {"ä": [1, None]}}, {"metadata_filter": '{"\\u00e4": [1, null]}'}),
        ({"sort": "size", "order": "asc"}, {"sort": "size", "order": "asc"}),
        ({"limit": 5, "offset": 0}, {"limit": "5", "offset": "0"}),
        ({"after": "eyJ-_"}, {"after": "eyJ-_"}),
    ],
)
def test_each_option_has_its_key(
    assets: Assets, flaky: FlakyServer, given: dict[str, Any], sent: dict[str, str]
) -> None:
    answering(flaky, captured("GET /api/assets"))
    assets.list(**given)
    assert asked(flaky).query == sent


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("GET /api/assets?limit=0", r"400: Validation failed\."),
        ("GET /api/assets?after=zz", "400: payload: 'utf-8' codec"),
        ("GET /api/assets/00000000-0000-4000-8000-000000000000", "404: AssetReference 00000000.* not found"),
    ],
)
def test_the_servers_words_reach_the_message(assets: Assets, flaky: FlakyServer, label: str, message: str) -> None:
    answering(flaky, captured(label))
    with pytest.raises(ServerError, match=message):
        assets.list()


def test_iter_follows_the_cursor(assets: Assets, flaky: FlakyServer) -> None:
    pages = [
        {"assets": [entry(1), entry(2)], "total": 3, "has_more": True, "next_cursor": "c"},
        {"assets": [entry(3)], "total": 3, "has_more": False},
    ]
    answering(flaky, *map(json_reply, pages))
    found = assets.iter(include_tags=["input"], sort="name", order="asc", page_size=2)

    assert flaky.requests == []
    assert [asset.name for asset in found] == ["asset 1", "asset 2", "asset 3"]
    query = {"include_tags": "input", "sort": "name", "order": "asc", "limit": "2"}
    assert [request.query for request in flaky.requests[1:]] == [query, {**query, "after": "c"}]


def test_iter_counts_where_there_is_no_cursor(assets: Assets, flaky: FlakyServer) -> None:
    pages = [
        {"assets": [entry(1), entry(2)], "total": 3, "has_more": True},
        {"assets": [entry(3)], "total": 3, "has_more": False},
    ]
    answering(flaky, *map(json_reply, pages))

    assert len(list(assets.iter(sort="last_access_time"))) == 3
    query = {"sort": "last_access_time", "limit": "100"}
    assert [request.query for request in flaky.requests[1:]] == [query, {**query, "offset": "2"}]


def test_iter_ends_where_nothing_comes(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, json_reply({"assets": [], "total": 3, "has_more": True, "next_cursor": "c"}))

    assert list(assets.iter()) == []
    assert len(flaky.requests) == 2


def test_get(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured(f"GET {PATH}"))
    asset = assets.get(ID.upper())

    assert asset is not None
    assert (asset.id, asset.name, asset.loader_path) == (ID, "My A", f"{HASH.removeprefix('blake3:')}.png")
    assert asset.preview_url == f"/api/view?type=input&filename={asset.loader_path}"
    assert asset.metadata == {"kind": "image", "width": 8, "height": 6}
    assert asset.extra == {}
    assert asked(flaky).target == PATH
    assert assets.get(asset) == asset
    assert flaky.requests[-1].target == PATH


def test_what_is_not_known_is_none(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("GET /api/assets/00000000-0000-4000-8000-000000000000"))

    assert assets.get(ID) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda assets, asset: assets.get(asset),
        lambda assets, asset: assets.update(asset, name="a"),
        lambda assets, asset: assets.delete(asset),
        lambda assets, asset: assets.read(asset),
        lambda assets, asset: assets.stream(asset),
        lambda assets, asset: assets.download(asset, "a"),
        lambda assets, asset: assets.tags.add(asset, "a"),
        lambda assets, asset: assets.tags.remove(asset, "a"),
    ],
)
@pytest.mark.parametrize("wrong", ["", "nope", "../x", None, Asset("nope")])
def test_what_is_no_id_is_not_asked_for(
    assets: Assets, flaky: FlakyServer, wrong: Any, call: Callable[[Assets, Any], object]
) -> None:
    with pytest.raises(ValueError, match=r"an asset's id is a UUID, and .* is none"):
        call(assets, wrong)
    assert not flaky.requests


def test_update(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured(f"PUT {PATH}"))
    asset = assets.update(ID, name="New", user_metadata={"z": 2})

    request = asked(flaky)
    assert (request.method, request.target) == ("PUT", PATH)
    assert request.json == {"name": "New", "user_metadata": {"z": 2}}
    assert asset.name == "New"
    assert asset.user_metadata["z"] == 2
    assets.update(asset, preview_id=ID, user_metadata={})
    assert flaky.requests[-1].json == {"preview_id": ID, "user_metadata": {}}


def test_an_update_of_nothing_is_refused(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured(f"empty PUT {PATH}"))
    with pytest.raises(ServerError, match=r"400: Validation failed\..*Provide at least one of"):
        assets.update(ID)


def test_delete(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, reply(204), captured(f"DELETE {PATH}"))
    assets.delete(ID)
    assert (asked(flaky).method, asked(flaky).target) == ("DELETE", PATH)
    with pytest.raises(NotFound, match="not found"):
        assets.delete(ID)


# --- content ----------------------------------------------------------------------------------------------------


def test_content_in_three_ways(assets: Assets, flaky: FlakyServer, tmp_path: Path) -> None:
    whole = reply(200, CONTENT)
    answering(flaky, whole, whole, captured(f"GET {PATH}"), whole, whole)

    assert assets.read(ID) == CONTENT
    assert [len(piece) for piece in assets.stream(ID)] == [CHUNK, CHUNK, CHUNK, 4]
    assert assets.download(ID, tmp_path).read_bytes() == CONTENT
    assert assets.download(Asset(ID, "../a?.png"), f"{tmp_path}/sub/").read_bytes() == CONTENT
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {"My A", "sub", "sub/a_.png"}
    content = f"{PATH}/content"
    assert [request.target for request in flaky.requests[1:]] == [content, content, PATH, content, content]
    assert flaky.requests[1].headers["accept-encoding"] == "identity"


def test_an_asset_without_a_name_is_saved_under_its_id(assets: Assets, flaky: FlakyServer, tmp_path: Path) -> None:
    answering(flaky, reply(200, b"abc"))

    assert assets.download(Asset(ID, ""), tmp_path) == tmp_path / ID


def test_a_file_that_exists_is_kept(assets: Assets, flaky: FlakyServer, tmp_path: Path) -> None:
    answering(flaky, reply(200, b"new"))
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        assets.download(Asset(ID), path)
    assert path.read_bytes() == b"old"
    assert assets.download(Asset(ID), path, overwrite=True).read_bytes() == b"new"


def test_a_file_that_is_gone(assets: Assets, flaky: FlakyServer, tmp_path: Path) -> None:
    gone = {"error": {"code": "FILE_NOT_FOUND", "message": "Underlying file not found on disk.", "details": {}}}
    answering(flaky, json_reply(gone, 404))
    with pytest.raises(NotFound, match="404: Underlying file not found"):
        assets.download(Asset(ID), tmp_path / "a")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def cut() -> Answer:
    """An answer that breaks off after a piece."""
    return last_words(reply(200, CONTENT)[: -2 * CHUNK])


def test_after_a_break_all_of_it_is_fetched_again(
    patient: Assets, flaky: FlakyServer, cut: Answer, tmp_path: Path
) -> None:
    answering(flaky, cut, cut, reply(200, b"x" + CONTENT), cut, reply(200, b"short"))

    assert patient.read(ID) == b"x" + CONTENT
    assert patient.download(Asset(ID), tmp_path / "a").read_bytes() == b"short"
    assert all("range" not in request.headers for request in flaky.requests)


def test_after_three_breaks_it_is_given_up(patient: Assets, flaky: FlakyServer, cut: Answer, tmp_path: Path) -> None:
    answering(flaky, cut)
    with pytest.raises(ServerUnreachable, match="gave no complete answer"):
        patient.download(Asset(ID), tmp_path / "a")
    assert len(flaky.requests) == 1 + 3
    assert not list(tmp_path.iterdir())


def test_without_retries_a_break_is_final(assets: Assets, flaky: FlakyServer, cut: Answer) -> None:
    answering(flaky, cut)
    with pytest.raises(ServerUnreachable):
        assets.read(ID)
    assert len(flaky.requests) == 2


def test_what_was_handed_out_cannot_be_taken_back(patient: Assets, flaky: FlakyServer, cut: Answer) -> None:
    nothing = last_words(reply(200, CONTENT)[: -len(CONTENT)])
    answering(flaky, nothing, cut, reply(200, CONTENT))
    pieces = patient.stream(ID)

    assert next(pieces) == CONTENT[:CHUNK]  # after one break that did no harm
    with pytest.raises(ServerUnreachable, match="the rest of the file is not to be had"):
        list(pieces)


# --- upload -----------------------------------------------------------------------------------------------------


def parts(request: Request) -> dict[str, Message]:
    """The parts of the form, by name, in order."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    form = message_from_bytes(head + request.body)
    found: Any = form.get_payload()
    return {part.get_param("name", header="content-disposition"): part for part in found}


def fields(request: Request) -> dict[str, bytes]:
    return {name: part.get_payload(decode=True) for name, part in parts(request).items()}  # type: ignore[misc]


def test_upload(assets: Assets, flaky: FlakyServer, tmp_path: Path) -> None:
    answering(flaky, captured("POST /api/assets"))
    path = tmp_path / "photo.png"
    path.write_bytes(b"content")
    asset = assets.upload(
        path,
        tags=["models", "model_type:loras", "a,b"],
        name="Näme",
        user_metadata={"k": [1, "é"]},
        hash=HASH,
        mime_type="image/png",
        preview_id=ID,
    )

    request = asked(flaky)
    assert (request.method, request.target) == ("POST", "/api/assets")
    sent = fields(request)
    assert next(iter(sent)) == "hash"  # the server looks for it before it keeps the file
    assert [*sent][-1] == "file"
    assert json.loads(sent.pop("tags")) == ["models", "model_type:loras", "a,b"]
    assert json.loads(sent.pop("user_metadata")) == {"k": [1, "é"]}
    assert sent == {
        "hash": HASH.encode(),
        "name": "Näme".encode(),
        "mime_type": b"image/png",
        "preview_id": ID.encode(),
        "file": b"content",
    }
    assert parts(request)["file"].get_filename() == "photo.png"
    assert (asset.id, asset.name, asset.created_new, asset.extra) == (ID, "My A", True, {})
    assert asset.user_metadata["k"] == 1


def test_content_that_is_known(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("dup same bytes POST /api/assets"))
    asset = assets.upload(b"content")

    assert fields(asked(flaky)) == {"tags": b'["input"]', "file": b"content"}
    assert (asset.created_new, asset.hash, asset.loader_path) == (False, HASH, None)


def named_file() -> io.BytesIO:
    file = io.BytesIO(b"content")
    file.name = "/a/named.bin"
    return file


@pytest.mark.parametrize(
    ("source", "filename"),
    [
        (b"content", ""),
        (bytearray(b"content"), ""),
        (io.BytesIO(b"content"), ""),
        (named_file(), "named.bin"),
        (Image.new("RGB", (3, 2)), "*.png"),
    ],
)
def test_a_file_keeps_its_name(assets: Assets, flaky: FlakyServer, source: Any, filename: str) -> None:
    answering(flaky, captured("POST /api/assets"))
    assets.upload(source)
    file = parts(asked(flaky))["file"]
    name = file.get_filename() or ""

    assert name == filename or (filename == "*.png" and len(name) == 36)
    content: Any = file.get_payload(decode=True)
    assert content.startswith(b"\x89PNG" if filename == "*.png" else b"content")
    assets.upload(b"abc", filename="own.png", tags="output")
    assert parts(flaky.requests[-1])["file"].get_filename() == "own.png"
    assert fields(flaky.requests[-1])["tags"] == b'["output"]'


def test_progress(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("POST /api/assets"))
    seen: list[tuple[int, int]] = []
    assets.upload(CONTENT, progress=lambda sent, total: seen.append((sent, total)))
    size = len(CONTENT)
    assert seen == [(0, size), (CHUNK, size), (2 * CHUNK, size), (3 * CHUNK, size), (size, size)]


def test_an_error_of_the_users_callback_is_the_users(assets: Assets, flaky: FlakyServer) -> None:
    def fail(_sent: int, _total: int) -> None:
        raise ZeroDivisionError

    answering(flaky, captured("POST /api/assets"))
    with pytest.raises(ZeroDivisionError):
        assets.upload(b"abc", progress=fail)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("no role tag POST /api/assets", "400: tags are required"),
        ("models no type POST /api/assets", "400: models uploads require exactly one model_type"),
        ("empty file POST /api/assets", "400: Uploaded file is empty"),
        ("bad hash POST /api/assets", "400: hash must be like"),
        ("hash mismatch POST /api/assets", "400: Uploaded file hash does not match"),
    ],
)
def test_a_refused_upload_is_sent_once(patient: Assets, flaky: FlakyServer, label: str, message: str) -> None:
    answering(flaky, captured(label))
    with pytest.raises(ServerError, match=message):
        patient.upload(b"abc")
    assert len(flaky.requests) == 2


def test_from_hash(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("POST /api/assets/from-hash"))
    asset = assets.from_hash(HASH, name="copy", tags="input", user_metadata={"a": 1}, mime_type="a/b", preview_id=ID)

    request = asked(flaky)
    assert (request.method, request.target) == ("POST", "/api/assets/from-hash")
    assert request.json == {
        "hash": HASH,
        "name": "copy",
        "tags": ["input"],
        "user_metadata": {"a": 1},
        "mime_type": "a/b",
        "preview_id": ID,
    }
    assert (asset.name, asset.created_new) == ("copy", False)
    assets.from_hash(HASH)
    assert flaky.requests[-1].json == {"hash": HASH, "tags": [], "user_metadata": {}}


@pytest.mark.parametrize(
    ("label", "kind", "message"),
    [
        ("unknown POST /api/assets/from-hash", NotFound, "404: Asset content blake3:0000.* does not exist"),
        ("bad POST /api/assets/from-hash", ServerError, r"400: Validation failed\..*hash must be"),
    ],
)
def test_a_hash_that_the_server_does_not_take(
    assets: Assets, flaky: FlakyServer, label: str, kind: type[ServerError], message: str
) -> None:
    answering(flaky, captured(label))
    with pytest.raises(kind, match=message):
        assets.from_hash(HASH)


def test_exists(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, reply(200), reply(404), reply(400), reply(500))

    assert assets.exists(HASH)
    assert (asked(flaky).method, asked(flaky).target) == ("HEAD", f"/api/assets/hash/{HASH.replace(':', '%3A')}")
    assert not assets.exists(HASH)
    with pytest.raises(ServerError, match="400: a hash is 'blake3:' and 64 hexadecimal digits"):
        assets.exists("zz")
    with pytest.raises(ServerError, match="500: an empty body"):
        assets.exists(HASH)


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [[], {"assets": {}}, {"assets": [{}]}, {"assets": [{"id": 7}]}])
def test_an_answer_of_another_form(assets: Assets, flaky: FlakyServer, wrong: Any) -> None:
    answering(flaky, json_reply(wrong))
    with pytest.raises(DecodeError):
        assets.list()


def test_what_else_the_server_says_is_kept() -> None:
    page = structure({"assets": [{"id": ID, "colour": "red"}], "page": 1}, AssetsPage)

    assert page.extra == {"page": 1}
    assert page.assets[0].extra == {"colour": "red"}
    assert pickle.loads(pickle.dumps(page)) == page  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-22T07:09:11.316470", datetime(2026, 11, 22, 7, 9, 11, 316470, tzinfo=timezone.utc)),
        ("2026-11-22T07:09:11", datetime(2026, 11, 22, 7, 9, 11, tzinfo=timezone.utc)),
        ("2026-11-22T07:09:11Z", datetime(2026, 11, 22, 7, 9, 11, tzinfo=timezone.utc)),
        ("2026-11-22T07:09:11+02:00", datetime(2026, 11, 22, 7, 9, 11, tzinfo=timezone(timedelta(hours=2)))),
        (None, None),
    ],
)
def test_times_are_in_utc(written: str | None, meant: datetime | None) -> None:
    assert structure({"id": ID, "updated_at": written}, Asset).updated_at == meant


@pytest.mark.parametrize("wrong", ["yesterday", 7])
def test_what_is_no_time_is_an_error(assets: Assets, flaky: FlakyServer, wrong: Any) -> None:
    answering(flaky, json_reply({**entry(1), "created_at": wrong}))
    with pytest.raises(DecodeError, match=r"/api/assets/.*arose @ \$"):
        assets.get(ID)


def test_a_jobs_outputs_name_their_assets() -> None:
    (image,) = structure(capture("history_with_assets"), HistoryEntry).outputs["2"]["images"]

    assert image["id"] == "aaf4fe90-11ff-4d92-a4cc-889ca7d2235a"
