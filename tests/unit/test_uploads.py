from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from comfyclient import Client, ServerUnreachable, Workflow, WorkflowError
from comfyclient._uploads import Uploads
from tests.fakes import FlakyServer, hang_up, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAKERS = {
    "LoadImage": {"image": [["old.png"], {"image_upload": True}]},
    "LoadAudio": {"audio": ["COMBO", {"audio_upload": True, "options": []}]},
    "LoadImageOutput": {"image": ["COMBO", {"image_upload": True, "image_folder": "output"}]},
    "KSampler": {"seed": ["INT", {}]},
}
INFOS = {name: {name: {"name": name, "input": {"required": inputs}}} for name, inputs in TAKERS.items()}


def stored(name: str, kind: str = "input") -> bytes:
    return json_reply({"name": name, "subfolder": "", "type": kind})


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with FlakyServer() as server:
        yield server


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(b"a picture")
    return path


def workflow(class_type: str = "LoadImage", **inputs: Any) -> Workflow:
    return Workflow({"10": {"class_type": class_type, "inputs": inputs, "_meta": {"title": "Mine"}}})


def place(server: FlakyServer, document: Workflow) -> Workflow:
    with Client(server.url, realtime=False) as client:
        return Uploads(client.files, client.nodes).place(document)


def test_nothing_is_sent_for_a_workflow_without_files(server: FlakyServer) -> None:
    document = workflow(image="photo.png", size=3, link=["1", 0], wrapped={"__value__": [1]})
    assert place(server, document) is document
    assert server.requests == []


def test_a_file_is_uploaded_and_its_name_put_in(server: FlakyServer, photo: Path) -> None:
    server.answers += [json_reply(INFOS["LoadImage"]), stored("photo (1).png")]
    document = workflow(image=photo)
    assert place(server, document)["10"]["image"] == "photo (1).png [input]"
    assert document["10"]["image"] == photo
    assert [(request.method, request.path) for request in server.requests] == [
        ("GET", "/object_info/LoadImage"),
        ("POST", "/upload/image"),
    ]
    assert b"a picture" in server.requests[1].body
    assert b'filename="photo.png"' in server.requests[1].body


def test_it_goes_into_the_directory_that_the_input_reads(server: FlakyServer, photo: Path) -> None:
    server.answers += [json_reply(INFOS["LoadImageOutput"]), stored("photo.png", "output")]
    assert place(server, workflow("LoadImageOutput", image=photo))["10"]["image"] == "photo.png [output]"
    assert b'name="type"\r\n\r\noutput\r\n' in server.requests[1].body


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "pillow", "numpy"])
def test_images_in_memory_are_uploaded(server: FlakyServer, kind: str) -> None:
    values = {
        "bytes": b"png",
        "bytearray": bytearray(b"png"),
        "pillow": Image.new("RGB", (2, 2)),
        "numpy": np.zeros((2, 2, 3), np.uint8),
    }
    server.answers += [json_reply(INFOS["LoadImage"]), stored("made.png")]
    document = workflow(image=values[kind])
    document.check()
    assert place(server, document)["10"]["image"] == "made.png [input]"


def test_a_file_is_sent_once_as_long_as_it_stays_the_same(server: FlakyServer, photo: Path) -> None:
    server.answers += [json_reply(INFOS["LoadImage"]), stored("one.png"), stored("two.png")]
    with Client(server.url, realtime=False) as client:
        uploads = Uploads(client.files, client.nodes)
        names = [uploads.place(workflow(image=photo))["10"]["image"] for _ in range(2)]
        photo.write_bytes(b"another picture")
        names.append(uploads.place(workflow(image=photo))["10"]["image"])
    assert names == ["one.png [input]", "one.png [input]", "two.png [input]"]


@pytest.mark.parametrize(
    ("class_type", "name", "value", "message"),
    [
        ("KSampler", "seed", "path", r"input 'seed' is the file '.*photo.png', and takes no file$"),
        ("LoadImage", "imag", "path", r"input 'imag' is the file '.*', and takes no file; 'image' does$"),
        ("KSampler", "seed", b"abc", r"input 'seed' is bytes, and takes no file$"),
        ("LoadAudio", "audio", b"abc", r"input 'audio' is bytes: it takes no image, so give a path, whose name tells$"),
        ("LoadAudio", "audio", Image.new("L", (1, 1)), r"input 'audio' is an image: it takes no image, so give a path"),
    ],
)
def test_an_input_that_takes_no_such_file_is_named(
    server: FlakyServer, photo: Path, *, class_type: str, name: str, value: Any, message: str
) -> None:
    server.answers.append(json_reply(INFOS[class_type]))
    with pytest.raises(WorkflowError, match=rf"^node 10 'Mine' \({class_type}\): {message}"):
        place(server, workflow(class_type, **{name: photo if value == "path" else value}))
    assert [request.method for request in server.requests] == ["GET"]


def test_of_a_class_that_the_server_lacks_nobody_knows(server: FlakyServer, photo: Path) -> None:
    server.answers.append(json_reply({}))
    with pytest.raises(WorkflowError, match=r"is the file '.*', and the server does not have this class of nodes$"):
        place(server, workflow("Nothing", image=photo))


def test_all_inputs_are_looked_at_before_anything_is_sent(server: FlakyServer, photo: Path) -> None:
    server.answers += [json_reply(INFOS["LoadImage"]), json_reply(INFOS["KSampler"])]
    document = workflow(image=photo)
    document.add("KSampler", {"seed": photo})
    with pytest.raises(WorkflowError, match="takes no file"):
        place(server, document)
    assert [request.method for request in server.requests] == ["GET", "GET"]


@pytest.mark.parametrize("value", ["missing", "directory", "array"])
def test_a_file_that_cannot_be_read_is_named(server: FlakyServer, tmp_path: Path, value: str) -> None:
    values = {"missing": tmp_path / "no.png", "directory": tmp_path, "array": np.full((2, 2), 7.0)}
    server.answers.append(json_reply(INFOS["LoadImage"]))
    with pytest.raises(
        WorkflowError, match=r"^node 10 'Mine' \(LoadImage\): input 'image' cannot be uploaded: "
    ) as bad:
        place(server, workflow(image=values[value]))
    assert isinstance(bad.value.__cause__, (OSError, ValueError))


def test_a_server_that_breaks_off_is_an_error_of_its_own(server: FlakyServer, photo: Path) -> None:
    server.answers += [json_reply(INFOS["LoadImage"]), hang_up]
    with pytest.raises(ServerUnreachable):
        place(server, workflow(image=photo))


def test_a_workflow_with_a_file_of_ones_own_is_not_saved(photo: Path, tmp_path: Path) -> None:
    document = workflow(image=photo)
    document.check()
    with pytest.raises(WorkflowError) as caught:
        document.save(tmp_path / "workflow.json")
    assert str(caught.value) == (
        f"node 10 'Mine' (LoadImage): input 'image' is the file {os.fspath(photo)!r}, which JSON cannot hold: it is "
        "uploaded when the workflow runs"
    )
    assert not (tmp_path / "workflow.json").exists()
