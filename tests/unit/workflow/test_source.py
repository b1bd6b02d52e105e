from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow import source as source_module

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


PROMPT = {"2": {"class_type": "Ran", "inputs": {}, "_meta": {}}}
SENT_ALONG = {"3": {"class_type": "SentAlong", "inputs": {}, "_meta": {}}}  # in the API format, so that it loads
QUEUE_ITEM = [5, "id", PROMPT, {"extra_pnginfo": {"workflow": SENT_ALONG}}, ["2"]]


@pytest.mark.parametrize(
    "value",
    [
        QUEUE_ITEM,
        {"prompt": QUEUE_ITEM, "outputs": {}, "status": {"completed": True}},
        {"id": {"prompt": QUEUE_ITEM, "outputs": {}}},
        {"id": "id", "workflow": {"prompt": PROMPT, "extra_data": QUEUE_ITEM[3]}, "outputs": {}},
        {"prompt": PROMPT, "client_id": "", "extra_data": QUEUE_ITEM[3]},
        {"prompt": json.dumps(PROMPT), "workflow": json.dumps(SENT_ALONG)},
        {"prompt": json.dumps(json.dumps(PROMPT)), "workflow": SENT_ALONG},
    ],
)
def test_what_is_around_a_graph_is_taken_off(value: Any) -> None:
    for source in (value, json.dumps(value)) if isinstance(value, dict) else (json.dumps(value),):
        assert Workflow.load(source).to_api() == PROMPT
        assert Workflow.load(source, prefer="workflow").to_api() == SENT_ALONG


def test_what_is_not_there_cannot_be_preferred() -> None:
    assert Workflow.load({"prompt": PROMPT}, prefer="workflow").to_api() == PROMPT
    assert Workflow.load({"workflow": SENT_ALONG}, prefer="prompt").to_api() == SENT_ALONG
    assert Workflow.load({"prompt": {}, "workflow": SENT_ALONG}).to_api() == SENT_ALONG
    with pytest.raises(ValueError, match="prefer is 'prompt' or 'workflow', not 'both'"):
        Workflow.load(PROMPT, prefer="both")  # type: ignore[arg-type]


def test_of_many_prompts_none_is_taken() -> None:
    with pytest.raises(WorkflowError, match="this is a history of 2 prompts: give one entry of it"):
        Workflow.load({"a": {"prompt": QUEUE_ITEM}, "b": {"prompt": QUEUE_ITEM}})


def test_a_workflow_is_taken_as_it_is() -> None:
    workflow = Workflow({"prompt": PROMPT["2"], "workflow": PROMPT["2"]})
    assert Workflow.load(workflow, prefer="workflow") == workflow


def test_a_file_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"1234" + TEXT.encode())
    file.seek(4)
    assert Workflow.load(file).to_api() == GRAPH


def test_too_much_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_LARGEST_DOCUMENT", 0)
    for source in (TEXT.encode(), io.StringIO(TEXT)):
        with pytest.raises(WorkflowError, match="is larger than 0 MB"):
            Workflow.load(source)


def test_a_node_called_prompt_is_a_node() -> None:
    graph = {"prompt": {"class_type": "X", "inputs": {}, "_meta": {}}}
    assert Workflow.load(graph).to_api() == graph


EXPORT = "in the editor, the menu Workflow > Export (API) writes it"
OR = f"load an export: {EXPORT}"
LOAD = f"load the file that ComfyUI wrote, or an export: {EXPORT}"
WITHOUT = f"without a workflow, since many sites and programs take it out: {LOAD}"
NEVER = f"into which ComfyUI puts no workflow: {LOAD}"


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
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", f"the data is a PNG image that is cut off: {LOAD}"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", f"the data is a WebP image {WITHOUT}"),
        (b"GIF89a", f"the data is a GIF image {NEVER}"),
        (b"PK\x03\x04", f"the data is a zip archive {NEVER}"),
        (b"<!DOCTYPE html>", f"the data is a web page {NEVER}"),
        (b"<!-- one --><!-- two -->\n<HTML lang='en'>", f"the data is a web page {NEVER}"),
        (b"<feed/>", f"the data is an XML document {NEVER}"),
        (b"<svg/>", f"the data is an SVG image {WITHOUT}"),
        (b"\x7fELF\0", f"the data is binary data of no known kind, neither JSON nor a file that ComfyUI makes: {OR}"),
        (b"a fox", f"the data is text of no known kind, neither JSON nor a file that ComfyUI makes: {OR}"),
        ("a\0b", "'a\\x00b' is no path: embedded null byte"),
        (
            io.TextIOWrapper(io.BytesIO(b"\x89PNG"), "utf-8"),
            "the file is opened as text, and is none; open it with mode 'rb'",
        ),
        ("[]", "the text: a workflow is an object of nodes by their ids, not a list"),
        (b"null", "the data: a workflow is an object of nodes by their ids, not null"),
        (b'"{}"', "the data: a workflow is an object of nodes by their ids, not a string"),
        (7, "a number is no workflow: give a path, JSON text, bytes, an open file or a dict"),
    ],
)
def test_load_says_what_it_was_given_instead(source: Any, message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(source)
    assert str(caught.value) == message


def test_messages_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"1": {"inputs": {}}}', encoding="utf-8")
    with path.open("rb") as file:
        for source in (path, str(path), file):
            with pytest.raises(WorkflowError) as caught:
                Workflow.load(source)
            assert str(caught.value).startswith(f"{path}: node '1': its class_type is missing")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_what_python_cannot_parse_is_refused(text: str) -> None:
    with pytest.raises(WorkflowError, match=r"^the text is not JSON: "):
        Workflow.load(text)


def test_the_constructor_takes_a_graph_only() -> None:
    wrong: Any = TEXT
    with pytest.raises(WorkflowError, match=r"not a string$"):
        Workflow(wrong)
