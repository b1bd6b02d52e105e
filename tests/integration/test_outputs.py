"""Whatever nodes leave behind arrives: files of all kinds, texts, nothing, lists, parts of nodes that expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobFailed
from comfyclient.events import Executing, Preview, ProgressText, SocketImage
from tests.comfyui.images import painted
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, fresh, node, pixels, text

if TYPE_CHECKING:
    from comfyclient import Result
    from comfyclient.events import Event
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes


def run(url: str, graph: Graph, *, realtime: bool = True) -> Result:
    with Client(url, realtime=realtime) as client:
        return client.run(graph, timeout=PATIENCE)


@BOTH_WAYS
def test_text_alone(comfyui_url: str, *, realtime: bool) -> None:
    result = run(comfyui_url, text("nothing but this"), realtime=realtime)
    assert result.texts == ("nothing but this",)
    assert result["1"].texts == ("nothing but this",)
    assert result.files == ()


@BOTH_WAYS
def test_an_output_node_that_says_nothing(comfyui_url: str, *, realtime: bool) -> None:
    seed = fresh()
    for cached in ((), ("1",)):
        result = run(comfyui_url, {"1": node("TestSilentOutput", seed=seed)}, realtime=realtime)
        assert result.files == ()
        assert result.texts == ()
        assert result.cached_nodes == cached


@BOTH_WAYS
def test_files_of_every_kind(comfyui_url: str, *, realtime: bool) -> None:
    seed = fresh()
    kinds = "images, animated, gifs, audio, files, latents, 3d, text"
    graph = {"1": node("TestOutputs", "All of it", kinds=kinds, seed=seed)}
    with Client(comfyui_url, realtime=realtime) as client:
        result = client.run(graph, timeout=PATIENCE)
        assert [file.type for file in result.images] == ["output", "temp"]
        assert {pixels(file) for file in result.images} == {painted(seed, 16, 16)}
        assert {file.filename for file in result.videos} == {f"animated_{seed}.mp4", f"gif_{seed}.mp4"}
        assert [file.filename for file in result.audio] == [f"audio_{seed}.flac"]
        assert {file.kind for file in result.files} == {"image", "video", "audio", "text", "model3d", "file"}
        for file in result.files:
            if file.kind != "image":
                assert file.read() == file.filename.encode()
        assert result.texts == ("first", "second")
        assert result.by_title("All of it").files == result.files


@BOTH_WAYS
def test_outputs_of_odd_shapes_harm_nothing(comfyui_url: str, *, realtime: bool) -> None:
    seed = fresh()
    result = run(
        comfyui_url, {"1": node("TestOutputs", kinds="odd, nan, result, images", seed=seed)}, realtime=realtime
    )
    assert "bare.png" in {file.filename for file in result.images}
    assert len([file for file in result.files if file.subfolder]) == 3  # the loose ones have none
    assert result["1"].ui["numbers"][1:] == [float("inf"), float("-inf")]


@BOTH_WAYS
def test_lists_run_what_follows_once_for_each(comfyui_url: str, *, realtime: bool) -> None:
    graph = {"1": node("TestList", count=3, seed=fresh()), "2": node("TestText", value=["1", 0])}
    assert run(comfyui_url, graph, realtime=realtime).texts == ("0", "1", "2")


def test_images_of_a_batch_come_in_order(client: Client) -> None:
    seed = fresh()
    result = client.run(
        {
            "1": node("TestImage", seed=seed, width=20, height=10, batch=5),
            "2": node("PreviewImage", images=["1", 0]),
        },
        timeout=PATIENCE,
    )
    assert [pixels(file) for file in result.images] == [painted(seed + i, 20, 10) for i in range(5)]
    assert {file.type for file in result.images} == {"temp"}


def test_async_nodes(comfyui_url: str, client: Client) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    job = client.submit(
        {
            "1": node("TestAsync", name=first.name, value="first"),
            "2": node("TestAsync", name=second.name, value="second"),
            "3": node("TestText", value=["1", 0]),
            "4": node("TestText", value=["2", 0]),
        }
    )
    first.wait()
    second.wait()  # both at once: they run side by side
    assert not job.done()
    second.open()
    first.open()
    result = job.result(PATIENCE)
    assert (result["3"].texts, result["4"].texts) == (("first",), ("second",))
    assert job.progress == 1.0


def test_an_async_node_that_fails(client: Client) -> None:
    graph = {"1": node("TestAsync", fail=True, seed=fresh()), "2": node("TestText", value=["1", 0])}
    with pytest.raises(JobFailed, match=r"node 1 .* the async node failed"):
        client.run(graph, timeout=PATIENCE)


# --- nodes that become others -------------------------------------------------------------------------------


def expanding(*, fail: bool = False) -> Graph:
    return {
        "1": node("TestExpand", "Becomes more", count=2, show=True, fail=fail, seed=fresh(), value="inside"),
        "2": node("TestText", value=["1", 0]),
    }


@BOTH_WAYS
def test_outputs_of_an_expanded_node_are_found_under_it(comfyui_url: str, *, realtime: bool) -> None:
    result = run(comfyui_url, expanding(), realtime=realtime)
    assert list(result) == ["1", "2"]
    assert result["1"].texts == ("inside",)
    assert result["1"].title == "Becomes more"
    assert result.by_title("Becomes more").texts == ("inside",)
    assert result["2"].texts == ("inside",)


def test_expanded_nodes_count_in_the_progress_as_one(client: Client) -> None:
    job = client.submit(expanding())
    seen = [job.progress for event in job.events() if isinstance(event, Executing)]
    assert seen == sorted(seen)
    assert job.progress == 1.0
    assert job.node_progress == {"1": 1.0, "2": 1.0}


@BOTH_WAYS
def test_an_error_inside_of_an_expanded_node_names_that_node(comfyui_url: str, *, realtime: bool) -> None:
    with pytest.raises(JobFailed, match=r"node 1 'Becomes more' \(TestExpand\) raised ValueError: inner"):
        run(comfyui_url, expanding(fail=True), realtime=realtime)


# --- over the websocket -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_previews_reach_the_job_and_callbacks(comfyui_url: str, client: Client, kind: str) -> None:
    seed, gate = fresh(), Gate(comfyui_url)
    heard: list[Preview] = []
    client.on("preview", heard.append)
    job = client.submit(
        {
            "0": gate.node(),
            "1": node("TestPreview", steps=3, format=kind, width=40, height=30, seed=seed, value=["0", 0]),
            "2": node("TestText", value=["1", 0]),
        }
    )
    gate.wait()
    previews = job.previews()
    gate.open()
    shown = list(previews)
    assert len(shown) == 3
    assert {(preview.media_type, preview.node) for preview in shown} == {(f"image/{kind.lower()}", "1")}
    assert {preview.prompt_id for preview in shown} == {job.prompt_id}
    sizes = [pixels(preview.data) for preview in shown]
    assert {len(size) for size in sizes} == {40 * 30 * 3}
    if kind == "PNG":
        assert sizes == [painted(seed + i, 40, 30) for i in range(3)]
    done = Gate(comfyui_url)
    job.add_done_callback(lambda _: done.open())  # behind the callbacks of all events before
    assert client.run(done.workflow(), timeout=PATIENCE)
    assert heard == shown
    assert job.result(PATIENCE).images == ()


def test_old_previews_are_not_kept(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(
        {
            "1": node("TestPreview", steps=5, format="PNG", width=8, height=8, seed=fresh(), value="kept"),
            "2": gate.node(value=["1", 0]),
            "3": node("TestText", value=["2", 0]),
        }
    )
    next(event for event in job.events() if isinstance(event, Executing) and event.node == "2")  # all have come
    previews = job.previews()
    assert next(previews).node == "1"  # the newest
    gate.open()
    assert list(previews) == []
    assert list(job.previews()) == []


def test_text_progress(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(
        {
            "0": gate.node(),
            "1": node("TestTextProgress", text="line", count=3, seed=fresh(), value=["0", 0]),
            "2": node("TestText", value=["1", 0]),
        }
    )
    gate.wait()
    events = job.events()
    gate.open()
    texts = [event for event in events if isinstance(event, ProgressText)]
    assert [(event.node, event.text, event.prompt_id) for event in texts] == [
        ("1", f"line {i}", job.prompt_id) for i in range(3)
    ]


def test_images_over_the_websocket_are_results_and_never_previews(comfyui_url: str, client: Client) -> None:
    seed, other, gate = fresh(), fresh(), Gate(comfyui_url)
    everywhere: list[Event] = []
    client.on("*", everywhere.append)
    job = client.submit(
        {
            "0": gate.node(),
            "1": node("TestPreview", steps=3, format="PNG", width=24, height=24, seed=other, value=["0", 0]),
            "2": node("TestImage", seed=seed, width=48, height=32, batch=4),
            "3": node("SaveImageWebsocket", "Send it", images=["2", 0]),
            "4": node("SaveImageWebsocket", "Send one more", images=["5", 0]),
            "5": node("TestImage", seed=seed + 9, width=48, height=32),
            "6": node("TestText", value=["1", 0]),
        }
    )
    previews = job.previews()
    gate.open()
    shown = list(previews)
    result = job.result(PATIENCE)
    expected = [painted(seed + i, 48, 32) for i in range(4)]
    assert [pixels(file) for file in result["3"].images] == expected
    assert [pixels(file) for file in result.by_title("Send one more").images] == [painted(seed + 9, 48, 32)]
    assert [pixels(file) for file in result.images] == [*expected, painted(seed + 9, 48, 32)]
    assert {file.node_id for file in result.images} == {"3", "4"}
    assert {pixels(preview.data) for preview in shown} == {painted(other + i, 24, 24) for i in range(3)}
    assert {preview.node for preview in shown} == {"1"}
    images = [event for event in job.events() if isinstance(event, SocketImage)]
    assert len(images) == 5
    assert {event.node for event in everywhere if isinstance(event, Preview)} <= {"1"}


def test_images_over_the_websocket_can_be_saved(client: Client, tmp_path_factory: pytest.TempPathFactory) -> None:
    seed = fresh()
    result = client.run(
        {
            "1": node("TestImage", seed=seed, width=8, height=8, batch=2),
            "2": node("SaveImageWebsocket", images=["1", 0]),
        },
        timeout=PATIENCE,
    )
    saved = result.save(tmp_path_factory.mktemp("images"))
    assert [pixels(path.read_bytes()) for path in saved] == [painted(seed + i, 8, 8) for i in range(2)]
