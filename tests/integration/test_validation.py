"""``Workflow.validate`` against the real server: what it accepts the server takes, what the server refuses it finds."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from comfyclient import Workflow, WorkflowError
from comfyclient._rejection import problems_of
from comfyclient.builder.arguments import NOTHING, default
from comfyclient.workflow.classes import Classes
from tests.workflows import Gate, Graph, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from comfyclient import Client, Problem
    from comfyclient.types import InputInfo, NodeInfo

pytestmark = pytest.mark.needs_test_nodes

ROUNDS = 400
SECONDS = 60


# --- the corpus ---------------------------------------------------------------------------------------------


def pictures() -> Graph:
    return {
        "1": node("EmptyImage", width=16, height=16, batch_size=1, color=0),
        "2": node("ImageInvert", "Turn it around", image=["1", 0]),
        "3": node("ImageScaleBy", image=["2", 0], upscale_method="bilinear", scale_by=2.0),
        "4": node("ImageToMask", image=["3", 0], channel="red"),
        "5": node("MaskToImage", mask=["4", 0]),
        "6": node("SaveImage", images=["3", 0], filename_prefix="comfyclient_tests/corpus"),
        "7": node("PreviewImage", images=["5", 0]),
        "8": node("SolidMask", value=1.0, width=16, height=16),
    }


def dynamic() -> Graph:
    resized: dict[str, Any] = {"resize_type.width": 8, "resize_type.height": 8, "resize_type.crop": "center"}
    batched: dict[str, Any] = {"images.image0": ["1", 0], "images.image1": ["2", 0]}
    return {
        "1": node("EmptyImage", width=16, height=16, batch_size=1, color=0),
        "2": node(
            "ResizeImageMaskNode", input=["1", 0], resize_type="scale dimensions", scale_method="area", **resized
        ),
        "3": node("BatchImagesNode", **batched),
        "4": node("ComfySwitchNode", switch=True, on_false=["3", 0], on_true=["1", 0]),
        "5": node("StringConcatenate", string_a="a", string_b="b", delimiter=", "),
        "6": node("PreviewAny", source=["5", 0]),
        "7": node("SaveImage", images=["4", 0], filename_prefix=["5", 0]),
    }


def sampling() -> Graph:
    return {
        "1": node("TestCheckpoint", ckpt_name="sd15.safetensors"),
        "2": node("CLIPTextEncode", text="a fox", clip=["1", 1]),
        "3": node("EmptyLatentImage", width=64, height=64, batch_size=1),
        "4": node(
            "KSampler",
            model=["1", 0],
            positive=["2", 0],
            negative=["2", 0],
            latent_image=["3", 0],
            seed=2**64 - 1,
            steps=20,
            cfg=8.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
        ),
        "5": node("VAEDecode", samples=["4", 0], vae=["1", 2]),
        "6": node("SaveImage", images=["5", 0], filename_prefix="comfyclient_tests/corpus"),
    }


def own_checks() -> Graph:
    """Nodes that look at their inputs themselves."""
    return {
        "1": node("LoadImage", image="no such file.png"),
        "2": node("PreviewImage", images=["1", 0]),
        "3": node("CustomCombo", choice="mine", index=3, option1="mine"),
        "4": node("PreviewAny", source=["3", 0]),
        "5": node("LoadLatent", latent="no such file.latent"),
        "6": node("SaveLatent", samples=["5", 0], filename_prefix="comfyclient_tests/corpus"),
    }


GRAPHS: tuple[Callable[[], Graph], ...] = (pictures, dynamic, sampling, pictures, dynamic, own_checks)
VALUES: tuple[Any, ...] = (
    *(None, "", "abc", "false", "42", " 7 ", "1e3", "0.5", "Euler", "scale width", "no such\n"),
    *(True, False, 0, -1, 3, 3.99, 10**9, 2**64, 1e300),
    *([], ["1"], [1, 0], ["1", "0"], ["99", 0], ["1", 0.5], ["1", 9], [["1"], 0], [1, 2, 3]),
    *({}, {"a": 1}, {"__value__": 3}, {"__value__": "abc"}, {"__value__": [1, 2]}, {"__value__": None}),
)


class Case(NamedTuple):
    """A broken workflow, and what was done to it."""

    graph: Graph
    changes: list[str]


def corpus() -> Iterator[Case]:
    """The same each time: half of them with one change, the others with some."""
    chance = random.Random(5)  # noqa: S311 - the same corpus each time
    for number in range(ROUNDS):
        graph = copy.deepcopy(GRAPHS[number % len(GRAPHS)]())
        count = 1 if number % 2 else chance.randint(2, 4)
        yield Case(graph, [chance.choice(CHANGES)(graph, chance) for _ in range(count)])


def set_value(graph: Graph, chance: random.Random) -> str:
    node_id, name = _an_input(graph, chance)
    graph[node_id]["inputs"][name] = value = copy.deepcopy(chance.choice(VALUES))
    return f"{node_id}.{name} = {value!r}"


def set_link(graph: Graph, chance: random.Random) -> str:
    """To any node, so that types differ, or a circle comes about."""
    node_id, name = _an_input(graph, chance)
    graph[node_id]["inputs"][name] = link = [chance.choice([*graph]), chance.choice([0, 0, 0, 1, 2])]
    return f"{node_id}.{name} = {link!r}"


def drop(graph: Graph, chance: random.Random) -> str:
    node_id, name = _an_input(graph, chance)
    del graph[node_id]["inputs"][name]
    return f"without {node_id}.{name}"


def misspell(graph: Graph, chance: random.Random) -> str:
    node_id, name = _an_input(graph, chance)
    inputs = graph[node_id]["inputs"]
    inputs[f"{name}s"] = inputs.pop(name)
    return f"{node_id}.{name}s"


def add(graph: Graph, chance: random.Random) -> str:
    node_id = chance.choice([*graph])
    name = chance.choice(["extra", "images.image7", "resize_type.multiplier", "mask", "optional"])
    graph[node_id]["inputs"][name] = value = copy.deepcopy(chance.choice([1, "a", None]))
    return f"{node_id}.{name} = {value!r}"


def change_class(graph: Graph, chance: random.Random) -> str:
    node_id = chance.choice([*graph])
    class_type = chance.choice(["NoSuchNode", "ImageInvert", "PreviewImage", "KSampler", "SaveImage", "VAEDecode"])
    graph[node_id]["class_type"] = class_type
    return f"{node_id} is {class_type}"


def remove(graph: Graph, chance: random.Random) -> str:
    node_id = chance.choice([*graph])
    del graph[node_id]
    return f"without {node_id}"


CHANGES: tuple[Callable[[Graph, random.Random], str], ...] = (
    *([set_value] * 6 + [set_link] * 4 + [drop, misspell, add] * 2),
    change_class,
    remove,
)


def _an_input(graph: Graph, chance: random.Random) -> tuple[str, str]:
    return chance.choice([(node_id, name) for node_id, each in graph.items() for name in each["inputs"]])


# --- every class --------------------------------------------------------------------------------------------

CHECKED_BY_THEMSELVES = {"WebcamCapture", "LoadImageOutput", "ProtoValidate"}
"""What they want, no catalogue tells; the first two take names of files."""


def of_every_class(classes: Classes) -> Iterator[Case]:
    """Each class as it is by default, and once with something in one of its inputs; what wants a link has one."""
    chance = random.Random(6)  # noqa: S311 - the same corpus each time
    for class_type, info in classes.items():
        if class_type in CHECKED_BY_THEMSELVES or not (info.output or info.output_node):
            continue
        inputs = dict(_by_default(classes, info.inputs.values()))
        graph = {"any": node("TestProgress", steps=1), "it": {"class_type": class_type, "inputs": inputs, "_meta": {}}}
        if not info.output_node:
            graph["shown"] = node("PreviewAny", source=["it", 0])
        yield Case(graph, [class_type])
        if names := [*classes.inputs(class_type, inputs)]:
            changed = copy.deepcopy(graph)
            name = chance.choice(names)
            changed["it"]["inputs"][name] = value = copy.deepcopy(chance.choice(VALUES))
            yield Case(changed, [f"{class_type}.{name} = {value!r}"])


def _by_default(classes: Classes, infos: Iterable[InputInfo]) -> Iterator[tuple[str, Any]]:
    for info in infos:
        if info.takes_many:
            yield from ((place.name, ["any", 0]) for place in info.brings().values() if place.required)
        elif info.required:
            value = default(info)
            if value is NOTHING and info.choices:
                value = info.choices[0]  # a file
            elif value is NOTHING or classes.is_socket(info):
                value = {"INT": 1, "FLOAT": 1.0, "STRING": "x", "BOOLEAN": True}.get(info.type, ["any", 0])
            elif isinstance(value, list):
                value = {"__value__": value}
            yield info.name, value
            yield from _by_default(classes, info.brings(value).values())


# --- what the server says -----------------------------------------------------------------------------------


class Verdict(NamedTuple):
    """The server's answer: what it has against which node and input, and the graph as it keeps it."""

    problems: set[tuple[str, str, str | None]]
    kept: Graph | None


@pytest.fixture(scope="module")
def catalog(comfyui: Any) -> Mapping[str, NodeInfo]:
    from comfyclient import Client  # noqa: PLC0415 - of another server than the test's own fixture

    with Client(comfyui.url) as client:
        return client.nodes.list()


class Server:
    """Asks the real one; what that accepts waits behind a gate, and is deleted from the queue at once."""

    def __init__(self, url: str) -> None:
        self._url = url

    def verdict(self, graph: Graph) -> Verdict:
        answer = requests.post(f"{self._url}/prompt", json={"prompt": graph}, timeout=SECONDS)
        body = answer.json()
        problems = {
            (problem.node_id, problem.type, None if "exception" in problem.type else problem.input_name)
            for problem in problems_of(body["node_errors"], Workflow(graph), lambda *_: None)
        }
        if answer.status_code == 400 and not problems:
            problems.add((body["error"]["extra_info"].get("node_id", ""), body["error"]["type"], None))
        if answer.status_code != 200:
            return Verdict(problems, None)
        queue = requests.get(f"{self._url}/queue", timeout=SECONDS).json()
        [kept] = [item[2] for item in queue["queue_pending"] if item[1] == body["prompt_id"]]
        requests.post(f"{self._url}/queue", json={"delete": [body["prompt_id"]]}, timeout=SECONDS).raise_for_status()
        return Verdict(problems, kept)


@pytest.fixture
def server(client: Client, comfyui_url: str) -> Iterator[Server]:
    gate = Gate(comfyui_url)
    job = client.submit(gate.workflow())
    gate.wait()
    yield Server(comfyui_url)
    gate.open()
    job.result(timeout=SECONDS)


def refused(problems: list[Problem]) -> set[tuple[str, str, str | None]]:
    """What the server would say, too; where it trips over a node, it does not say over which input."""
    return {
        (each.node_id, each.kind, None if "exception" in each.kind else each.input) for each in problems if each.kind
    }


# --- the comparison -----------------------------------------------------------------------------------------


def test_the_whole_corpus(server: Server, catalog: Mapping[str, NodeInfo]) -> None:
    refusals = [_compare(case, server, catalog) for case in corpus()]
    assert sum(refusals) > ROUNDS / 3
    assert refusals.count(False) > ROUNDS / 10


def test_every_class_of_the_server(server: Server, catalog: Mapping[str, NodeInfo]) -> None:
    refusals = [_compare(case, server, catalog) for case in of_every_class(Classes(catalog))]
    assert sum(refusals) > len(catalog) / 3
    assert refusals.count(False) > len(catalog) / 2


def _compare(case: Case, server: Server, catalog: Mapping[str, NodeInfo]) -> bool:
    """Whether the server refuses it; that we say the same is asserted."""
    graph, changes = case
    problems = Workflow(graph).validate(catalog)
    verdict = server.verdict(graph)
    said = f"{changes}\n{json.dumps(graph)}\nserver: {verdict.problems}\nours: {list(map(str, problems))}"
    # A circle by way of an input that the server does not look at ends the run, so the client refuses it.
    sure = {each for each in refused(problems) if each[1] != "dependency_cycle"}
    assert verdict.problems or not sure, said
    _assert_severities(Workflow(graph), problems)
    _assert_found(refused(problems), verdict.problems, said)
    if verdict.kept is not None and not verdict.problems:
        _assert_silence_is_broken(graph, verdict.kept, problems, said)
    return bool(verdict.problems)


def _assert_severities(workflow: Workflow, problems: list[Problem]) -> None:
    """An error is what the server refuses, or what the client does not even send."""
    assert all(problem.severity == "error" for problem in problems if problem.kind)
    if any(problem.severity == "error" and not problem.kind for problem in problems):
        with pytest.raises(WorkflowError):
            workflow.check()


def _assert_found(ours: set[tuple[str, str, str | None]], theirs: set[tuple[str, str, str | None]], said: str) -> None:
    """Everything the server names, we name at the same node and input.

    Of a node that it trips over it says no more than that, and what is above a wrong link it does not look at; of
    missing classes and circles it names the first. A check of a node's own may be said to fail for all of its inputs.
    """
    own = {each for each in theirs if each[1] == "custom_validation_failed"}
    assert theirs - own <= ours, said
    assert {each[0] for each in own} <= {each[0] for each in ours & own}, said


def _assert_silence_is_broken(graph: Graph, kept: Graph, problems: list[Problem], said: str) -> None:
    """Whatever value the server keeps as another one, we said so."""
    warned = {(problem.node_id, problem.input) for problem in problems}
    for node_id, each in graph.items():
        for name, value in each["inputs"].items():
            meant = value["__value__"] if isinstance(value, dict) and "__value__" in value else value
            if kept[node_id]["inputs"][name] not in (value, meant):
                assert (node_id, name) in warned, said
