"""Results made of what real nodes reported, of what stranger ones might, and of images sent over the websocket."""

from __future__ import annotations

import copy
import io
import json
import pickle
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from comfyclient import Client
from comfyclient._http import Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import NotFound, ServerUnreachable
from comfyclient.output_file import OutputFile
from comfyclient.resources.files import Files
from comfyclient.results import NodeOutput, Result, Timings
from comfyclient.workflow import Workflow
from tests.captures import capture
from tests.fakes import nobody
from tests.unit.resources.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILES = Files(Transport(ClientConfig(url="http://server:8188")))  # never asked
WORKFLOW = Workflow.load(
    {
        "1": {"class_type": "TestExpand", "inputs": {}, "_meta": {"title": "Many"}},
        "9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Save portrait"}},
        "10": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Save"}},
        "12": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Save"}},
        "57:3": {"class_type": "PreviewAny", "inputs": {}},
    }
)


def result_of(
    outputs: Mapping[str, Any],
    *,
    files: Files = FILES,
    workflow: Workflow | None = WORKFLOW,
    **given: Any,
) -> Result:
    rest: dict[str, Any] = {
        "display": {},
        "cached": (),
        "socket_images": (),
        "timings": Timings(),
        "fetch_history": lambda: pytest.fail("nobody asked for the history"),
    }
    return Result(prompt_id="p-1", workflow=workflow, outputs=outputs, files=files, **{**rest, **given})


def test_what_belongs_to_a_client_is_not_pickled() -> None:
    result = result_of({"9": {"images": [image("a.png")]}})
    for refuse in (pickle.dumps, copy.deepcopy):
        for thing in (result, result["9"], result.images[0], FILES, Client("http://server:8188")):
            with pytest.raises(TypeError, match=r"cannot be pickled or deeply copied; keep a job's prompt_id"):
                refuse(thing)


def test_a_file_in_memory_is_pickled() -> None:
    (file,) = result_of({}, socket_images=[("9", "image/png", b"content")]).images
    assert pickle.loads(pickle.dumps(file)).read() == b"content"  # noqa: S301


def image(name: str, **more: Any) -> dict[str, Any]:
    return {"filename": name, "subfolder": "", "type": "output", **more}


def names(files: tuple[OutputFile, ...]) -> list[str]:
    return [file.filename for file in files]


# --- what nodes report ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "kinds", "texts"),
    [
        ("SaveAnimatedWEBP", ["image"], 0),
        ("SaveAnimatedPNG", ["image"], 0),
        ("SaveWEBM", ["video"], 0),
        ("SaveImageAdvanced", ["image"] * 3, 0),
        ("SaveAudio", ["audio"], 0),
        ("SaveAudioMP3", ["audio"], 0),
        ("PreviewAudio", ["audio"], 0),
        ("SaveVideo", ["video"], 0),
        ("SaveVideo h264", ["video"], 0),
        ("SaveText", ["text"], 1),
        ("PreviewAny", [], 1),
        ("PreviewAny float", [], 1),
        ("SolidMask+MaskPreview", ["image"], 0),
        ("GetImageSize (text progress)", [], 1),
        ("ImageCompare", ["image"] * 6, 0),
        ("SaveSVGNode", [], 0),
    ],
)
def test_the_outputs_of_core_nodes(node: str, kinds: list[str], texts: int) -> None:
    result = result_of({"9": capture("ui_of_core_nodes")[node]})
    assert [file.kind for file in result.files] == kinds
    assert len(result.texts) == texts
    assert result.images == tuple(file for file in result.files if file.kind == "image")


def test_one_node_with_everything() -> None:
    (entry,) = capture("history_ui_all").values()
    result = result_of(entry["outputs"])
    output = result["1"]
    assert output.ui == entry["outputs"]["1"]
    assert names(output.images) == names(result.images) == ["t.png", "o.png"]
    assert names(output.videos) == names(result.videos) == ["v.mp4"]
    assert names(output.audio) == names(result.audio) == ["a.flac"]
    assert output.texts == result.texts == ("some text", "more")
    found = {file.filename: file for file in output.files}
    assert list(found) == ["t.png", "o.png", "v.mp4", "a.flac", "m.glb", "l.latent", "file.glb"]
    assert [found[name].kind for name in ("m.glb", "l.latent", "file.glb")] == ["model3d", "file", "model3d"]
    assert (found["o.png"].subfolder, found["o.png"].type, found["o.png"].key) == ("sub", "output", "images")
    assert found["t.png"].type == "temp"
    assert (found["v.mp4"].format, found["v.mp4"].raw["frame_rate"]) == ("video/h264-mp4", 24.0)
    # Preview3D reports a path below the output directory, not a text
    assert (found["file.glb"].subfolder, found["file.glb"].type, found["file.glb"].raw) == ("3d", "output", {})


@pytest.mark.parametrize(
    ("key", "item", "kind"),
    [
        ("images", {"filename": "a.PNG"}, "image"),
        ("gifs", {"filename": "a.gif", "format": "image/gif"}, "image"),
        ("gifs", {"filename": "a.webm", "format": "image/gif"}, "video"),
        ("gifs", {"filename": "a.prores", "format": "video/ProRes"}, "video"),
        ("gifs", {"filename": "a"}, "video"),
        ("a_images", {"filename": "a.unheard"}, "image"),
        ("audio", {"filename": "a", "format": 7}, "audio"),
        ("3d", {"filename": "a"}, "model3d"),
        ("text", {"filename": "a"}, "text"),
        ("latents", {"filename": "l.latent"}, "file"),
        ("files", {"filename": ".png"}, "image"),
        ("custom", {"filename": "x.safetensors"}, "file"),
    ],
)
def test_what_a_file_is(key: str, item: dict[str, Any], kind: str) -> None:
    (file,) = result_of({"9": {key: [item]}}).files
    assert file.kind == kind
    assert (file.subfolder, file.type, file.node_id) == ("", "output", "9")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.JPG", "image/jpeg"),
        ("a.webp", "image/webp"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.mkv", "video/x-matroska"),
        ("a.flac", "audio/flac"),
        ("a.mp3", "audio/mpeg"),
        ("a.txt", "text/plain"),
        ("a.glb", "model/gltf-binary"),
        ("a.latent", "application/octet-stream"),
        ("png", "application/octet-stream"),
    ],
)
def test_the_media_type_goes_by_the_extension(name: str, media_type: str) -> None:
    (file,) = result_of({"9": {"images": [image(name)]}}).files
    assert file.media_type == media_type


@pytest.mark.parametrize(
    ("ui", "texts"),
    [
        ({"text": ["a", "b"]}, ["a", "b"]),
        ({"text": "bare"}, ["bare"]),
        ({"text": [["nested"], "deep"]}, ["nested", "deep"]),
        ({"string": ["a"], "text": ["a"]}, ["a"]),  # one pack, for two generations of editors
        ({"string": ["a"], "text": ["b"]}, ["a", "b"]),
        ({"tags": ["1girl, solo"]}, ["1girl, solo"]),
        ({"text": [1, None, {"a": "b"}, "c"]}, ["c"]),
        ({"result": ["x.glb", None]}, []),
        ({"b64_images": ["iVBOR"], "unknown": ["x"]}, []),
    ],
)
def test_what_is_text(ui: dict[str, Any], texts: list[str]) -> None:
    assert list(result_of({"9": ui}).texts) == texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (image("a.png"), ["a.png"]),
        ([[image("a.png")], image("b.png")], ["a.png", "b.png"]),
        ([{"left": image("a.png"), "right": [image("b.png")]}], ["a.png", "b.png"]),
        ([{"filename": ""}, {"filename": None}, {"filename": 7}, None, 1, "c.png", "3d/c.glb"], []),
        ([{"filename": "a.png", "subfolder": None, "type": 7}], ["a.png"]),
    ],
)
def test_a_file_is_whatever_has_a_filename(value: Any, expected: list[str]) -> None:
    result = result_of({"9": {"custom": value}})
    assert names(result.files) == expected
    assert {(file.subfolder, file.type) for file in result.files} <= {("", "output")}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["a.png", "x/y.glb"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["filename", "subfolder", "type", "format", "images", "text", "result"]),
            inner,
            max_size=5,
        )
    ),
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_no_output_whatsoever_raises(outputs: dict[str, Any]) -> None:
    result = result_of(outputs)
    assert set(result) == set(outputs)
    for file in result.files:
        assert file.kind
        assert file.media_type
        assert file.url
        assert hash(file) == hash(file)
    assert all(isinstance(text, str) for text in result.texts)
    assert repr(result)
    assert repr(list(result.values()))


def test_depth_does_not_matter() -> None:
    value: Any = image("a.png")
    for _ in range(100_000):
        value = [value]
    assert names(result_of({"9": {"images": value}}).files) == ["a.png"]


# --- the mapping ----------------------------------------------------------------------------------------------


def test_nodes_come_in_natural_order() -> None:
    outputs = {
        node: {"images": [image(f"{node}b.png"), image(f"{node}a.png")]} for node in ("57:3", "10", "9", "57:12", "a")
    }
    result = result_of(outputs)
    assert list(result) == ["9", "10", "57:3", "57:12", "a"]
    assert names(result.images)[:4] == ["9b.png", "9a.png", "10b.png", "10a.png"]
    assert len(result) == 5
    assert result.images[0] is result["9"].images[0] is result.images[0]


def test_a_node_by_its_id() -> None:
    result = result_of({"9": {"images": [image("a.png")]}, "57:3": {"text": ["x"]}})
    output = result["9"]
    assert (output.node_id, output.display_node_id) == ("9", "9")
    assert (output.title, output.class_type) == ("Save portrait", "SaveImage")
    assert result["57:3"].title == "PreviewAny"
    assert "9" in result
    assert "7" not in result
    assert result.get("7") is None
    with pytest.raises(KeyError, match=r"'7' left no output; there is node 9 'Save portrait', 57:3 'PreviewAny'"):
        result["7"]
    with pytest.raises(KeyError, match="there is no node"):
        result_of({})["7"]


def test_a_node_by_its_title() -> None:
    result = result_of({node: {"images": [image(f"{node}.png")]} for node in ("9", "10", "12")})
    assert names(result.by_title("Save portrait").images) == ["9.png"]
    with pytest.raises(KeyError, match="'Save' is that of nodes 10, 12"):
        result.by_title("Save")
    with pytest.raises(KeyError, match=r"'Nope'.* there is node 9 'Save portrait'"):
        result.by_title("Nope")


def test_without_a_workflow_the_title_is_the_id() -> None:
    result = result_of({"9": {"text": ["x"]}}, workflow=None)
    assert (result["9"].title, result["9"].class_type) == ("9", None)
    assert result.by_title("9").texts == ("x",)


def test_a_cached_node_without_output_is_there() -> None:
    result = result_of({"9": None}, cached=["10", "9"])
    assert result["9"].ui == {}
    assert not result["9"].files
    assert not result["9"].texts
    assert result.cached_nodes == ("9", "10")


def test_what_an_expanded_node_made_is_found_under_it() -> None:
    (entry,) = capture("history_subgraph_expansion").values()
    display = {node: meta["display_node"] for node, meta in entry["meta"].items()}
    result = result_of(entry["outputs"], display=display)
    assert list(result) == ["1", "3"]
    assert result["1"].texts == result["1.0.0.3"].texts == ("1",)
    assert (result["1"].title, result["1.0.0.3"].title) == ("Many", "Many")
    assert (result["1.0.0.3"].node_id, result["1.0.0.3"].display_node_id) == ("1.0.0.3", "1")


def test_the_parts_of_an_expanded_node_are_joined_in_order() -> None:
    outputs = {
        "9": {"images": [image("9.png")]},
        "1.0.0.10": {"images": [image("c.png")], "text": ["z"], "n": 2},
        "1.0.0.9": {"images": [image("b.png")], "n": 1, "m": [1]},
        "1": {"images": [image("a.png")]},
        "other": {"audio": [image("d.mp3")]},
    }
    result = result_of(outputs, display={"1.0.0.9": "1", "1.0.0.10": "1", "other": "1"})
    assert list(result) == ["1", "9"]
    assert len(result) == 2
    assert names(result["1"].files) == ["a.png", "b.png", "c.png", "d.mp3"]
    assert names(result.files) == ["a.png", "b.png", "c.png", "d.mp3", "9.png"]
    assert result["1"].ui == {
        "images": [image("a.png"), image("b.png"), image("c.png")],
        "n": 2,
        "m": [1],
        "text": ["z"],
        "audio": [image("d.mp3")],
    }


def test_the_history_is_asked_for_when_it_is_wanted() -> None:
    entries = iter(["entry"])
    result = result_of({}, fetch_history=lambda: next(entries))
    assert repr(result)
    assert result.history() == "entry"


def test_timings() -> None:
    timings = Timings(created=10.0, started=12.5, finished=13.0, nodes={"9": 0.25})
    assert (timings.waiting, timings.running) == (2.5, 0.5)
    assert (Timings(started=1.0).waiting, Timings(started=1.0).running) == (None, None)
    assert result_of({}, timings=timings).timings.nodes["9"] == 0.25


def test_reprs_say_what_there_is() -> None:
    outputs = {
        "9": {"images": [image("a.png"), image("b.png"), image("v.mp4")], "text": ["x"]},
        "57:3": {"3d": [image("m.glb")], "audio": [image("a.mp3"), image("b.mp3")], "files": [image("a.txt")]},
    }
    result = result_of(outputs, timings=Timings(started=1.0, finished=2.5))
    assert repr(result) == (
        "<Result p-1: 1 text, 2 images, 1 video, 1 3D model, 2 audio files, 1 text file "
        "of node 9 'Save portrait', 57:3 'PreviewAny', ran 1.5 s>"
    )
    assert repr(result["9"]) == "<NodeOutput 9 'Save portrait': 1 text, 2 images, 1 video>"
    assert repr(result.images[0]) == (
        "OutputFile(filename='a.png', subfolder='', type='output', node_id='9', key='images')"
    )
    assert repr(result_of({})) == "<Result p-1: nothing of no node>"


def test_results_are_compared_by_identity_and_files_by_name() -> None:
    outputs = {
        "9": {"images": [image("a.png")], "other": [image("a.png", extra=1)]},
        "10": {"images": [image("a.png")]},
    }
    one, two = result_of(outputs), result_of(outputs, files=Files(Transport(ClientConfig())))
    assert one != two
    assert len({one, two}) == 2
    assert one["9"] == two["9"]
    assert one.images[0] == two.images[0] == one.files[1]
    assert len({*one.files, *two.files}) == 2  # one for each node
    assert isinstance(hash(one["9"]), int)


# --- files ----------------------------------------------------------------------------------------------------


def png(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (2, 1), colour).save(content, "PNG")
    return content.getvalue()


def test_images_from_the_websocket_are_files_in_memory(tmp_path: Path) -> None:
    sent = [("9", "image/png", png("red")), ("57:3", "image/jpeg", b"jpeg"), ("9", "image/png", png("blue"))]
    result = result_of({"9": {"images": [image("a.png")]}}, socket_images=sent)
    assert names(result.images) == ["a.png", "9_00000.png", "9_00001.png", "57:3_00000.jpg"]
    assert list(result) == ["9", "57:3"]
    first, second = result["9"].images[1:]
    assert (first.type, first.url, first.kind, first.media_type) == ("websocket", None, "image", "image/png")
    assert first.read() == b"".join(first.stream()) == sent[0][2]
    assert second.pil().getpixel((0, 0)) == (0, 0, 255)
    assert first != second
    assert "\\x" not in repr(first)
    assert result["57:3"].images[0].save(tmp_path) == tmp_path / "57_3_00000.jpg"
    assert first.save(tmp_path / "fox.png").read_bytes() == sent[0][2]
    with pytest.raises(FileExistsError):
        second.save(tmp_path / "fox.png")
    assert second.save(tmp_path / "fox.png", overwrite=True).read_bytes() == sent[2][2]
    with pytest.raises(ValueError, match="came over the websocket"):
        FILES.read(first)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(png("red")) as server:
        yield server


@pytest.fixture
def files(server: FileServer) -> Iterator[Files]:
    with closing(Transport(ClientConfig(url=server.url))) as transport:
        yield Files(transport)


def test_a_file_is_fetched_when_it_is_asked_for(server: FileServer, files: Files, tmp_path: Path) -> None:
    outputs = {"9": {"images": [{"filename": "a b.png", "subfolder": "sub", "type": "temp"}]}}
    (file,) = result_of(outputs, files=files).images
    assert file.url == f"{server.url}/view?filename=a+b.png&subfolder=sub&type=temp"
    assert repr(file)
    assert not server.requests
    assert file.read() == b"".join(file.stream()) == server.content
    assert file.pil().getpixel((0, 0)) == (255, 0, 0)
    assert file.save(tmp_path) == tmp_path / "a b.png"
    assert [request.query for request in server.requests] == [
        {"filename": "a b.png", "subfolder": "sub", "type": "temp"}
    ] * 4
    with pytest.raises(FileExistsError):
        file.save(tmp_path)
    server.content = b"new"
    assert file.save(tmp_path, overwrite=True).read_bytes() == b"new"
    assert files.read(file) == b"new"


def test_a_file_that_is_gone_is_said_to_be_gone(server: FileServer, files: Files, tmp_path: Path) -> None:
    (file,) = result_of({"9": {"images": [image("a.png")]}}, files=files).images
    server.status = 404
    with pytest.raises(NotFound, match=r"a\.png"):
        file.save(tmp_path)
    assert not list(tmp_path.iterdir())
    with nobody() as url, closing(Transport(ClientConfig(url=url, retry=None))) as transport:
        (file,) = result_of({"9": {"images": [image("a.png")]}}, files=Files(transport)).images
        with pytest.raises(ServerUnreachable):
            file.read()


def test_all_files_into_one_directory(server: FileServer, files: Files, tmp_path: Path) -> None:
    outputs = {
        "9": {"images": [image("a.png"), image("a.png", subfolder="sub"), image("A.PNG", type="temp")]},
        "10": {"images": [image("a.png")], "gifs": [image("../../v?.mp4")], "text": ["x"]},
    }
    result = result_of(outputs, files=files, socket_images=[("10", "image/png", b"sent")])
    target = tmp_path / "out" / "new"
    paths = result.save(target)
    assert [path.name for path in paths] == ["a.png", "1-a.png", "2-A.PNG", "v_.mp4", "10_00000.png"]
    assert sorted(path.name for path in target.iterdir()) == sorted(path.name for path in paths)
    assert len(server.requests) == 4  # what two nodes reported is fetched once
    with pytest.raises(FileExistsError):
        result.save(str(target))
    assert result.save(f"{target}/", overwrite=True) == paths


def test_names_with_one_last_part_do_not_meet(server: FileServer, files: Files, tmp_path: Path) -> None:
    result = result_of({"9": {"images": [image("x/a.png"), image("y/a.png"), image("z\\a.png")]}}, files=files)
    assert [path.name for path in result.save(tmp_path)] == ["a.png", "1-a.png", "2-a.png"]
    assert len(server.requests) == 3


def test_names_that_are_cut_to_the_same_do_not_meet(tmp_path: Path) -> None:
    sent = [(f"{'x' * 300}{n}", "image/png", b"%d" % n) for n in range(3)]
    paths = result_of({}, socket_images=sent).save(tmp_path)
    assert [path.read_bytes() for path in paths] == [b"0", b"1", b"2"]


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"comfyclient\[images\]"):
        OutputFile(filename="a.png", source=b"").pil()


def test_pillow_is_not_imported_before_it_is_used() -> None:
    code = "import sys, comfyclient.output_file; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_result_can_be_read_back_from_json() -> None:
    outputs = json.loads('{"9": {"images": [{"filename": "\\ud800.png"}], "text": [NaN, "\\udcff"]}}')
    result = result_of(outputs)
    assert result.images[0].url == "http://server:8188/view?filename=%3F.png&subfolder=&type=output"
    assert isinstance(result["9"], NodeOutput)
