"""``client.models``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import AuthenticationError, DecodeError, NotFound, ServerError, Unsupported
from comfyclient.resources import Models
from comfyclient.types import ModelFile
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._http import Transport

FOLDERS = capture("models")
NOTHING = reply(404)
PICTURE = reply(200, b"RIFF....WEBP", "image/webp")


@pytest.fixture
def models(to_flaky: Transport) -> Models:
    return Models(to_flaky)


def targets(flaky: FlakyServer) -> list[str]:
    return [request.target for request in flaky.requests]


def test_folders(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(FOLDERS)]

    assert models.folders() == FOLDERS
    assert targets(flaky) == ["/models"]


def test_list(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("models_loras"))]

    assert models.list("my loras/new") == ["nometa.safetensors", "sub/test.safetensors"]
    assert targets(flaky) == ["/models/my%20loras%2Fnew"]


def test_embeddings(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(["one", "sub/two"])]

    assert models.embeddings() == ["one", "sub/two"]
    assert targets(flaky) == ["/embeddings"]


def test_details(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("model_files"))]
    found = models.details("loras")

    assert targets(flaky) == ["/experiment/models/loras"]
    assert [(file.name, file.pathIndex, file.size) for file in found] == [
        ("nometa.safetensors", 0, 72),
        ("sub/test.safetensors", 0, 136),
    ]
    assert all(file.modified and file.created and file.extra == {} for file in found)


def test_locations(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("model_folders")), json_reply([{"name": "loras", "folders": ["/m"]}])]
    found = models.locations()

    assert targets(flaky) == ["/experiment/models"]
    assert [folder.name for folder in found] == ["checkpoints", "loras", "vae", "text_encoders"]
    assert len(found[0].folders) == 2
    assert ".safetensors" in found[0].extensions
    assert not any(folder.extra for folder in found)
    assert models.locations()[0].extensions == (), "servers of 2025 do not tell"


# --- folders that are not there -----------------------------------------------------------------------------

LIST, DETAILS = Models.list, Models.details


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("lora", "there is no folder of models 'lora'; nearest: 'loras'"),
        ("LoRAs", "there is no folder of models 'LoRAs'; nearest: 'loras'"),
        ("unet", "there is no folder of models 'unet'; its name is 'diffusion_models' now"),
        ("xyz", "there is no folder of models 'xyz'; there is 'checkpoints', .* and 1[0-9] more"),
    ],
)
@pytest.mark.parametrize("ask", [LIST, DETAILS])
def test_an_unknown_folder(models: Models, flaky: FlakyServer, ask: Any, folder: str, sentence: str) -> None:
    known = FOLDERS if ask is LIST else [{"name": name} for name in FOLDERS if name not in {"configs", "custom_nodes"}]
    flaky.answers = [NOTHING, json_reply(known)]
    with pytest.raises(NotFound, match=sentence) as caught:
        ask(models, folder)

    asked, looked = targets(flaky)
    assert asked == f"{looked}/{folder}"
    assert caught.value.url.endswith(asked)
    assert caught.value.status == 404


@pytest.mark.parametrize("ask", [LIST, DETAILS])
def test_a_folder_that_the_server_has_and_something_before_it_hides(
    models: Models, flaky: FlakyServer, ask: Any
) -> None:
    known = ["loras"] if ask is LIST else [{"name": "loras"}]
    flaky.answers = [reply(404, "go away"), json_reply(known)]
    with pytest.raises(NotFound, match="answered 404: go away"):
        ask(models, "loras")


@pytest.mark.parametrize("ask", [LIST, DETAILS])
def test_the_first_error_counts_where_the_folders_cannot_be_had(models: Models, flaky: FlakyServer, ask: Any) -> None:
    flaky.answers = [NOTHING, reply(500)]
    with pytest.raises(NotFound, match="answered 404: an empty body"):
        ask(models, "loras")


@pytest.mark.parametrize(
    ("ask", "route"),
    [
        (lambda models: models.folders(), "GET /models"),
        (lambda models: models.list("loras"), "GET /models"),
        (lambda models: models.details("loras"), "GET /experiment/models"),
        (lambda models: models.locations(), "GET /experiment/models"),
        (lambda models: models.preview("loras", "a"), "GET /experiment/models"),
    ],
)
def test_an_old_server(models: Models, flaky: FlakyServer, ask: Callable[[Models], Any], route: str) -> None:
    flaky.answers = [NOTHING]
    with pytest.raises(Unsupported, match=f"does not have {route}, which came with version 0"):
        ask(models)


@pytest.mark.parametrize("ask", [LIST, DETAILS, lambda models, folder: models.metadata(folder, "a")])
def test_no_folder(models: Models, flaky: FlakyServer, ask: Any) -> None:
    with pytest.raises(ValueError, match="'' cannot be asked for"):
        ask(models, "")
    assert flaky.requests == []


@pytest.mark.parametrize("answer", [{}, None, [1], ["a", None]])
def test_an_answer_of_another_form(models: Models, flaky: FlakyServer, answer: Any) -> None:
    flaky.answers = [json_reply(answer)]
    for ask in (models.folders, models.embeddings, lambda: models.list("a"), lambda: models.details("a")):
        with pytest.raises(DecodeError, match=" is due, not "):
            ask()


# --- pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("foxes.safetensors", "1/foxes.safetensors"),
        ("my styles/fox & friends #1?.pt", "1/my%20styles/fox%20%26%20friends%20%231%3F.pt"),
        ("on\\windows.pt", "1/on%5Cwindows.pt"),
        ("füchse.pt", "1/f%C3%BCchse.pt"),
        ("100%.pt", "1/100%25.pt"),
    ],
)
def test_a_picture(models: Models, flaky: FlakyServer, name: str, path: str) -> None:
    flaky.answers = [PICTURE]

    assert models.preview("loras", ModelFile(name, 1)) == b"RIFF....WEBP"
    assert targets(flaky) == [f"/experiment/models/preview/loras/{path}"]


def test_a_name_is_looked_up(models: Models, flaky: FlakyServer) -> None:
    found = [("a.pt", 0), ("sub/b.pt", 2), ("sub/b.pt", 3)]
    files = [{"name": name, "pathIndex": index} for name, index in found]
    flaky.answers = [json_reply(files), PICTURE]

    assert models.preview("loras", "sub/b.pt") == b"RIFF....WEBP"
    assert targets(flaky) == ["/experiment/models/loras", "/experiment/models/preview/loras/2/sub/b.pt"]


def test_a_model_without_a_picture(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING]

    assert models.preview("loras", ModelFile("a.pt", 0)) is None


def test_a_picture_of_no_model(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([{"name": "foxes.pt", "pathIndex": 0}])]
    with pytest.raises(NotFound, match=r"/models/loras answered 404: .*'loras' named 'foxs\.pt'; nearest: 'foxes\.pt'"):
        models.preview("loras", "foxs.pt")


@pytest.mark.parametrize("name", ["../../../../history", "a/../b", "/etc/passwd", "a//b", ".", ""])
def test_a_name_that_leads_elsewhere(models: Models, flaky: FlakyServer, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        models.preview("loras", ModelFile(name, 0))
    assert flaky.requests == []


def test_what_is_no_picture(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [reply(200, "<h1>Sign in</h1>", "text/html"), reply(200), reply(403)]
    file = ModelFile("a.pt", 0)
    with pytest.raises(DecodeError, match="text/html came where an image is due"):
        models.preview("loras", file)
    with pytest.raises(DecodeError, match="no content type came where"):
        models.preview("loras", file)
    with pytest.raises(AuthenticationError):
        models.preview("loras", file)


# --- metadata -----------------------------------------------------------------------------------------------


def test_metadata(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("model_metadata"))]

    assert models.metadata("loras", "my sub/a&b.safetensors") == {"modelspec.title": "T", "ss_network_dim": "4"}
    (request,) = flaky.requests
    assert request.path == "/view_metadata/loras"
    assert request.query == {"filename": "my sub/a&b.safetensors"}


def test_a_file_without_metadata(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING, json_reply(["a.safetensors"])]

    assert models.metadata("loras", "a.safetensors") is None
    assert flaky.requests[1].target == "/models/loras"


def test_metadata_of_no_file(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING, json_reply(["sub/a.safetensors", "b.safetensors"])]
    with pytest.raises(NotFound, match=r"no file in 'loras' named 'a\.safetensors'; nearest: 'sub/a\.safet"):
        models.metadata("loras", "a.safetensors")


def test_metadata_of_a_file_in_no_folder(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING, NOTHING, json_reply(["loras"])]
    with pytest.raises(NotFound, match="no folder of models 'lora'; nearest: 'loras'"):
        models.metadata("lora", "a.safetensors")


def test_metadata_on_a_server_that_cannot_tell_why_not(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING]
    with pytest.raises(
        NotFound, match=r"404: there is no such folder or file, or nothing in it to show: 'a.safetensors' in 'loras'"
    ):
        models.metadata("loras", "a.safetensors")


def test_a_file_that_is_broken(models: Models, flaky: FlakyServer) -> None:
    flaky.answers = [reply(500)]
    with pytest.raises(ServerError, match="answered 500"):
        models.metadata("loras", "a.safetensors")
