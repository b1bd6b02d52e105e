"""The public API as users write it. Never run: mypy alone reads it, and every line here is a promise to editors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from comfyclient import (
    Client,
    ClientConfig,
    ComfyError,
    EventQueue,
    Job,
    JobFailed,
    JobProgress,
    JobTimeout,
    NeededModel,
    Node,
    NodeOutput,
    NodeProblem,
    OutputFile,
    Problem,
    Problems,
    PromptRejected,
    Reconnect,
    Result,
    Retry,
    Subscription,
    SweepProgress,
    Variation,
    Workflow,
    as_completed,
    events,
    wait,
)
from comfyclient._event_source import Decorator
from comfyclient.builder import Builder, Socket, Unchecked, stubs, to_python
from comfyclient.display.drawing import Drawing
from comfyclient.testing import Context, EmbeddedServer, Image, Models, Submission, node

if TYPE_CHECKING:
    # In typing since Python 3.11; type checkers know this module even where it is not installed.
    from typing_extensions import assert_type  # noqa: TC004 - this file is never run


def making_a_client() -> None:
    Client()
    Client("http://127.0.0.1:8188")
    Client("http://127.0.0.1:8188", connect_timeout=3, headers={"X-Token": "t"}, realtime=False)
    Client(config=ClientConfig(url="http://host", retry=None, reconnect=Reconnect(first=0.5)))
    Client("http://host", retry=Retry(attempts=5))
    with Client() as client:
        assert_type(client, Client)
        assert_type(client.config.url, str)
        assert_type(client.connect(), None)
        client.close(timeout=1.5)


def callbacks_by_name(client: Client) -> None:
    assert_type(client.on("status"), Decorator[events.Status])
    assert_type(client.on("execution_start"), Decorator[events.ExecutionStart])
    assert_type(client.on("execution_cached"), Decorator[events.ExecutionCached])
    assert_type(client.on("executing"), Decorator[events.Executing])
    assert_type(client.on("progress_state"), Decorator[events.ProgressState])
    assert_type(client.on("progress"), Decorator[events.Progress])
    assert_type(client.on("executed"), Decorator[events.Executed])
    assert_type(client.on("execution_success"), Decorator[events.ExecutionSuccess])
    assert_type(client.on("execution_error"), Decorator[events.ExecutionError])
    assert_type(client.on("execution_interrupted"), Decorator[events.ExecutionInterrupted])
    assert_type(client.on("feature_flags"), Decorator[events.FeatureFlags])
    assert_type(client.on("logs"), Decorator[events.Logs])
    assert_type(client.on("preview"), Decorator[events.Preview])
    assert_type(client.on("socket_image"), Decorator[events.SocketImage])
    assert_type(client.on("progress_text"), Decorator[events.ProgressText])
    assert_type(client.on("connected"), Decorator[events.Connected])
    assert_type(client.on("disconnected"), Decorator[events.Disconnected])
    assert_type(client.on("reconnected"), Decorator[events.Reconnected])
    assert_type(client.on("reconnect_failed"), Decorator[events.ReconnectFailed])
    assert_type(client.on("assets.seed.progress"), Decorator[events.AssetsSeed])
    assert_type(client.on("*"), Decorator[events.Event])


def callbacks_of_other_kinds(client: Client, name: str, anything: Callable[[Any], int]) -> None:
    assert_type(client.on(events.Progress), Decorator[events.Progress])
    assert_type(client.on(events.AssetsSeed), Decorator[events.AssetsSeed])
    assert_type(client.on(events.Event), Decorator[events.Event])
    assert_type(client.on("crystools.monitor"), Decorator[Any])
    client.on(events.Progress, lambda event: event.value)
    client.on(events.Progress, lambda event: event.no_such_field)  # type: ignore[attr-defined]  # its class is known
    client.on("crystools.monitor", lambda event: event.data)
    assert_type(client.on(name, anything), Subscription)
    subscription = client.on("progress", print)
    assert_type(subscription.cancel(), None)

    def wants_status(_: events.Status) -> None: ...

    def wants_any(_: events.Event) -> None: ...

    client.on("progress", wants_any)
    client.on(events.Progress, wants_any)
    client.on("crystools.monitor", wants_any)
    client.on("progress", wants_status)  # type: ignore[arg-type]  # an event of another class
    client.on("progress")(wants_status)  # type: ignore[arg-type]  # an event of another class
    client.on(events.Progress, wants_status)  # type: ignore[arg-type]  # an event of another class
    client.on(1, print)  # type: ignore[call-overload]  # no event
    client.on(int, print)  # type: ignore[type-var]  # no event class
    client.on("progress", callback=print)  # type: ignore[call-overload]  # positional only


def decorated_callbacks(client: Client) -> None:
    @client.on("progress")
    def show(event: events.Progress) -> str:
        return f"{event.node}: {event.value}/{event.max}"

    assert_type(show(events.Progress(1, 2)), str)

    @client.on(events.Executed)
    @client.on(events.Executing)
    def both(event: events.Executed | events.Executing) -> None:
        assert_type(event.display_node, str | None)

    @client.on("*")
    def everything(event: events.Event) -> None:
        assert_type(event.type, str)
        assert_type(event.prompt_id, str | None)

    @client.on("a.custom.type")
    def custom(event: events.UnknownEvent) -> None:
        assert_type(event.error, str | None)

    @client.on(events.Progress)  # type: ignore[arg-type]  # an event of another class
    def wrong(event: events.Status) -> None: ...


def listening(client: Client) -> None:
    with client.listen(events.Progress) as progress:
        assert_type(progress, EventQueue[events.Progress])
        assert_type(progress.get(timeout=1), events.Progress)
        assert_type(progress.get_nowait().value, float)
        for event in progress:
            assert_type(event, events.Progress)
    assert_type(client.listen(), EventQueue[Any])
    assert_type(client.listen("progress", events.Executed, maxsize=100), EventQueue[Any])
    assert_type(client.listen("progress").dropped, int)
    client.listen().close()


def running(client: Client, workflow: Workflow) -> None:
    result = client.run(workflow)
    assert_type(result, Result)
    client.run("portrait.json", timeout=60, on_event=lambda event: event.type)
    client.run(workflow, progress=True)
    client.run(workflow, progress=lambda progress: assert_type(progress, JobProgress))
    client.run(Path("portrait.json"), front=True, number=3, targets=["9"], strict=False)
    client.run({"1": {"class_type": "A", "inputs": {}}}, extra_data={"a": 1}, preview_method="auto")
    try:
        client.run(workflow)
    except PromptRejected as error:
        assert_type(error.problems, tuple[NodeProblem, ...])
    except JobFailed as error:
        assert_type(error.traceback, tuple[str, ...])
    except JobTimeout as error:
        assert_type(error.prompt_id, str)
    except ComfyError as error:
        assert_type(str(error), str)


def jobs(client: Client, workflow: Workflow) -> None:
    job = client.submit(workflow)
    assert_type(job, Job)
    assert_type(client.job(job.prompt_id), Job)
    assert_type(job.number, float | None)
    assert_type(job.status, Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"])
    assert_type(job.progress, float)
    assert_type(job.node_progress, dict[str, float])
    assert_type(job.node_errors, tuple[NodeProblem, ...])
    assert_type(job.workflow, Workflow)
    assert_type((job.done(), job.running(), job.cancelled()), tuple[bool, bool, bool])
    assert_type(job.result(timeout=10, on_event=print), Result)
    assert_type(job.show(), Result)
    assert_type(job.show(10, on_event=print, progress=watching), Result)
    assert_type(job.partial_result(), Result)
    assert_type(job.exception(), ComfyError | None)
    assert_type(job.cancel(), bool)
    assert_type(job.events(), Iterator[events.Event])
    assert_type(job.previews(), Iterator[events.Preview])
    assert_type(job.future(), Future[Result])
    job.add_done_callback(lambda job: assert_type(job, Job))
    for ended in as_completed([job], timeout=10):
        assert_type(ended, Job)
    done, not_done = wait([job], timeout=10, return_when="FIRST_COMPLETED")
    assert_type((done, not_done), tuple[set[Job], set[Job]])


def watching(progress: JobProgress) -> None:
    assert_type((progress.job, progress.watching), tuple[Job, bool])
    assert_type(progress.status, Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"])
    assert_type((progress.headline, progress.times, progress.title), tuple[str, str, str])
    assert_type((progress.fraction, progress.elapsed), tuple[float, float])
    assert_type((progress.node_id, progress.step), tuple[str | None, tuple[float, float] | None])
    assert_type((progress.ahead, progress.left), tuple[int | None, float | None])
    assert_type(progress.preview, events.Preview | None)


def editing(client: Client, workflow: Workflow) -> None:
    catalog = client.nodes.list()
    node = workflow.find(title="Load", has_input="image")
    node["image"] = Path("photo.png")
    assert_type(node, Node)
    assert_type(node.sources["image"], Node)
    assert_type([*node.consumers, *node.upstream, *node.downstream, *workflow.outputs(catalog)], list[Node])
    added = workflow.add("SaveImage", {"images": node.output()}, title="Save")
    added.mute()
    node.bypass(catalog)
    assert_type(workflow.randomize_seeds(catalog), dict[str, int])
    diff = workflow.diff(workflow.copy())
    assert_type([change.after for change in diff.changed], list[Any])
    assert_type(diff.added, tuple[Node, ...])
    json.dumps(workflow.to_editor(catalog))


def variations(client: Client, workflow: Workflow) -> None:
    for variation in client.map(workflow, [{"3.seed": seed} for seed in range(9)], in_flight=4, in_order=False):
        assert_type(variation, Variation)
        assert_type(variation.changes, Mapping[str, Any])
        assert_type(variation.result(), Result)
    client.map(workflow, [], progress=True)
    client.map(workflow, [], progress=sweeping)


def sweeping(progress: SweepProgress) -> None:
    assert_type((progress.watching, progress.finished), tuple[bool, bool])
    assert_type((progress.done, progress.failed, progress.total), tuple[int, int, int | None])
    assert_type((progress.fraction, progress.elapsed, progress.left), tuple[float, float, float | None])
    assert_type((progress.headline, progress.times, progress.status), tuple[str, str, str])


def drawing(client: Client, workflow: Workflow, error: PromptRejected, failure: JobFailed) -> None:
    drawn = workflow.draw()
    assert_type(drawn, Drawing)
    workflow.draw(highlight=["3"], catalog=client.nodes.list())
    workflow.draw(highlight={"3": "why"})
    workflow.draw(highlight=workflow.validate(client.nodes.list()))
    workflow.draw(highlight=error.problems)
    workflow.draw(highlight=[failure])
    assert_type(drawn.to_svg(theme="page"), str)
    assert_type(drawn.to_png(theme="dark", scale=1), bytes)
    assert_type(drawn.to_text(width=80), str)
    assert_type(drawn.save("graph.svg"), None)
    assert_type(len(drawn), int)


def checking(client: Client, workflow: Workflow) -> None:
    nodes = client.nodes.list()
    assert_type(workflow.validate(nodes), Problems)
    assert_type(workflow.validate({"KSampler": {}}), Problems)
    assert_type(list(workflow.validate(nodes)), list[Problem])
    problem = workflow.validate(nodes)[0]
    assert_type(problem.severity, Literal["error", "warning"])
    assert_type(problem.input, str | None)
    assert_type(workflow.models(nodes), list[NeededModel])
    assert_type(workflow.models(nodes)[0].is_there, bool | None)


def building(client: Client, workflow: Workflow) -> None:
    g = client.builder()
    assert_type(g, Builder)
    model, clip, vae = g.CheckpointLoaderSimple(ckpt_name="sd15.safetensors")
    g.SaveImage(images=g.VAEDecode(samples=g.KSampler(model=model), vae=vae), _id="9", _title="Save it")
    g["Epsilon Scaling"](model=model)
    thing = g.add({"class_type": "Elsewhere", "inputs": {"clip": clip}})
    assert_type(thing, Unchecked)
    assert_type(thing[0], Socket)
    assert_type(thing.node, Node)
    assert_type(g.workflow(), Workflow)
    assert_type(stubs(client.nodes.list()), str)
    assert_type(to_python(workflow, client.nodes.list()), str)


def results(result: Result) -> None:
    assert_type(result["9"], NodeOutput)
    assert_type(result.by_title("Save"), NodeOutput)
    assert_type(list(result), list[str])
    for files in (result.images, result.videos, result.audio, result.files, result["9"].images):
        assert_type(files, tuple[OutputFile, ...])
    assert_type(result.texts, tuple[str, ...])
    assert_type(result.save("out", overwrite=True), list[Path])
    assert_type(result.timings.running, float | None)
    image = result.images[0]
    assert_type(image.save("fox.png"), Path)
    assert_type(image.read(), bytes)
    assert_type(image.stream(), Iterator[bytes])
    assert_type(image.url, str | None)


def what_events_hold(state: events.ProgressState, executed: events.Executed, status: events.Status) -> None:
    assert_type(state.nodes, Mapping[str, events.NodeProgress])
    assert_type(state.nodes["1"].value, float)
    assert_type(state.prompt_id, str)
    assert_type(executed.output, Mapping[str, Any] | None)
    assert_type(status.queue_remaining, int | None)
    assert_type(events.EVENT_TYPES, dict[str, type[events.Event]])


@node
def brighten(context: Context, image: Image, amount: float = 0.5) -> Image:
    context.progress(1, 2, preview=image)
    return image + amount


@node(title="Tag", output_node=True, output=())
def tag(image: Image, model: Annotated[str, Models("tagger")] = "wd14") -> dict[str, Any]:
    return {"ui": {"text": [model, str(image.shape)]}}


def testing_an_application() -> None:
    with EmbeddedServer([brighten, tag], models={"tagger": ["wd14"]}, emulate="0.9.2", latency=0.1) as server:
        assert_type(server.url, str)
        assert_type(server.submitted, list[Submission])
        assert_type(server.directory("output"), Path)
        server.fail_next("KSampler", MemoryError("no VRAM"))
        server.answer_next("/queue", 502, "<html>", method="GET")
        server.latency.step = 0.5
        server.alter_events(lambda event: [event, event])
        with server.down():
            server.restart(forget=False)
