from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {"width": 8, "text": "żółć"}, "_meta": {"title": "Leer"}}}
TEXT = json.dumps(GRAPH, ensure_ascii=False)


@pytest.mark.parametrize(
    "source",
    [
        GRAPH,
        TEXT,
        f"\n  {TEXT}\n",
        f"\ufeff{TEXT}",
        TEXT.encode(),
        bytearray(TEXT.encode()),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        io.StringIO(TEXT),
        io.BytesIO(TEXT.encode()),
        {"prompt": GRAPH, "client_id": "abc", "extra_data": {}},
        json.dumps({"prompt": GRAPH}),
    ],
)
def test_load_takes_a_workflow_in_any_form(source: Any) -> None:
    assert Workflow.load(source).to_api() == GRAPH


def test_load_takes_paths(tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(TEXT, encoding="utf-8")
    assert Workflow.load(path).to_api() == Workflow.load(str(path)).to_api() == GRAPH
    with path.open(encoding="utf-8") as file:
        assert Workflow.load(file).to_api() == GRAPH
    with pytest.raises(FileNotFoundError):
        Workflow.load(tmp_path / "nowhere.json")


def test_a_node_called_prompt_is_a_node() -> None:
    graph = {"prompt": {"class_type": "X", "inputs": {}, "_meta": {}}}
    assert Workflow.load(graph).to_api() == graph


EDITOR = {"last_node_id": 1, "nodes": [{"id": 1, "type": "EmptyImage"}], "links": [], "version": 0.4}
EXPORT = "in the editor, the menu Workflow > Export (API) writes it"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "the text is empty"),
        (" \n", "the text is empty"),
        (b"", "the data is empty"),
        (io.StringIO(""), "the file is empty"),
        (
            '{\n  "1": {"class_type": "X", "inputs": }\n}',
            "the text is not JSON: Expecting value at line 2, column 38",
        ),
        (TEXT[:-9], "the text is not JSON: Expecting value at line 1, column 95; it seems to be cut off"),
        (
            TEXT[:-5],
            "the text is not JSON: Unterminated string at line 1, column 95; it seems to be cut off",
        ),
        (
            b'{"a": \xff}',
            "the data is not JSON: 'utf-8' codec can't decode byte 0xff in position 6: invalid start byte",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", f"the data is a PNG image, not a workflow in the API format: {EXPORT}"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", f"the data is a JPEG image, not a workflow in the API format: {EXPORT}"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", f"the data is a WebP image, not a workflow in the API format: {EXPORT}"),
        (b"\0\0\0\x20ftypisom", f"the data is an MP4 video, not a workflow in the API format: {EXPORT}"),
        (b"<!DOCTYPE html>", f"the data is a web page, not a workflow in the API format: {EXPORT}"),
        ("[]", "the text: a workflow is an object of nodes by their ids, not a list"),
        (b"null", "the data: a workflow is an object of nodes by their ids, not null"),
        (b'"{}"', "the data: a workflow is an object of nodes by their ids, not a string"),
        (EDITOR, f"this is the editor's own save format; servers take the API format: {EXPORT}"),
        ({"prompt": EDITOR}, f"this is the editor's own save format; servers take the API format: {EXPORT}"),
        (
            {"version": 1, "state": {}, "nodes": [], "links": []},
            f"this is the editor's own save format; servers take the API format: {EXPORT}",
        ),
        (7, "a number is no workflow: give a path, JSON text, bytes, an open file or a dict"),
    ],
)
def test_load_says_what_it_was_given_instead(source: Any, message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(source)
    assert str(caught.value) == message


def test_messages_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(EDITOR), encoding="utf-8")
    with path.open("rb") as file:
        for source in (path, str(path), file):
            with pytest.raises(WorkflowError) as caught:
                Workflow.load(source)
            assert str(caught.value).startswith(f"{path}: this is the editor's own save format")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_what_python_cannot_parse_is_refused(text: str) -> None:
    with pytest.raises(WorkflowError, match=r"^the text is not JSON: "):
        Workflow.load(text)


def test_the_constructor_takes_a_graph_only() -> None:
    wrong: Any = TEXT
    with pytest.raises(WorkflowError, match=r"not a string$"):
        Workflow(wrong)
