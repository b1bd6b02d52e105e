"""Every refusal of ``POST /prompt`` that was captured from real servers, read."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient._rejection import explain, is_rejection, problems_of
from comfyclient.errors import PromptRejected, RequestTimeout, ServerError, WorkflowError
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence

CAPTURES = Path(__file__).parent.parent / "captures"
ERRORS: dict[str, Any] = json.loads((CAPTURES / "prompt_errors.json").read_text(encoding="utf-8"))
VERSIONS: dict[str, Any] = json.loads((CAPTURES / "version_comparison.json").read_text(encoding="utf-8"))

SAMPLERS = ["euler", "euler_ancestral", "heun", *(f"dpm_{number}" for number in range(41))]
CLASSES = ["KSampler", "KSamplerAdvanced", "EmptyImage", "ProtoPassInt", "SaveImage", "PreviewImage"]


class Server:
    """What the client can still ask the server, and what it did ask."""

    def __init__(self, choices: dict[tuple[str, str], list[Any]] | None = None, *, fails: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._choices = choices or {}
        self._fails = fails

    def choices(self, class_type: str, input_name: str) -> Sequence[Any] | None:
        self.asked.append((class_type, input_name))
        self._fail()
        return self._choices.get((class_type, input_name))

    def classes(self) -> Sequence[str]:
        self.asked.append(())
        self._fail()
        return CLASSES

    def _fail(self) -> None:
        if self._fails:
            raise RequestTimeout("GET", "http://server/object_info", 30)


def read(body: Any, graph: Any, server: Server | None = None, status: int = 400) -> PromptRejected:
    server = server or Server()
    error = ServerError(status, body, "POST", "http://server/prompt")
    assert is_rejection(error)
    return explain(error, Workflow(graph), server.choices, server.classes)


def captured(name: str, server: Server | None = None) -> PromptRejected:
    capture = ERRORS[name]
    return read(capture["response"]["json"], capture["request"]["prompt"], server)


def refusal(node_id: str, class_type: str, *errors: Any) -> dict[str, Any]:
    """An answer in the server's form, for what no capture holds."""
    error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": ""}
    entry = {"errors": list(errors), "dependent_outputs": ["9"], "class_type": class_type}
    return {"error": error, "node_errors": {node_id: entry}}


# --- the captures of 0.30.0 ---

LIST_ADVICE = ': a link is written ["node id", 0], a list as a value {"__value__": [...]}'
NO_REASON = " is refused by the node, which gives no reason"

# What stands in prompt_errors.json: node, input, value and message of every problem, in order.
READINGS: dict[str, list[tuple[str, str | None, Any, str]]] = {
    "missing_inputs_key": [("1", None, None, "checking it raised KeyError: 'inputs'")],
    "missing_required": [("1", "images", None, "input 'images' is missing")],
    "missing_required_two_nodes": [
        ("1", "batch_size", None, "input 'batch_size' is missing"),
        ("1", "color", None, "input 'color' is missing"),
        ("1", "height", None, "input 'height' is missing"),
    ],
    "link_missing_node": [
        ("2", "images", ["99", 0], "input 'images' points at node '99', which the workflow does not have")
    ],
    "link_missing_node_deep": [
        ("1", "image", ["99", 0], "input 'image' points at node '99', which the workflow does not have")
    ],
    "link_slot_out_of_range": [
        ("2", "images", ["1", 5], "input 'images' takes output 5 of node 1 'EmptyImage', which has fewer")
    ],
    "link_slot_string": [("2", "images", ["1", "0"], f"input 'images' is ['1', '0']{LIST_ADVICE}")],
    "link_int_node_id": [
        ("2", "images", [1, 0], "input 'images' is [1, 0]: a link has its id in quotes and a number from 0: [\"1\", 0]")
    ],
    "link_len3": [("2", "images", ["1", 0, 0], f"input 'images' is ['1', 0, 0]{LIST_ADVICE}")],
    "link_len0": [("2", "images", [], f"input 'images' is []{LIST_ADVICE}")],
    "cycle": [
        (node, None, None, "nodes feed each other in a circle: 2 (ImageInvert) -> 1 (ImageInvert) -> 2 (ImageInvert)")
        for node in ("1", "2")
    ],
    "self_cycle": [("1", None, None, "nodes feed each other in a circle: 1 (ImageInvert) -> 1 (ImageInvert)")],
    "int_bad": [("1", "value", "abc", "input 'value': 'abc' is no INT")],
    "int_null": [("1", "value", None, "input 'value': None is no INT")],
    "below_min": [("1", "width", 0, "input 'width': 0 is below the minimum 1")],
    "above_max": [("1", "width", 1_000_000, "input 'width': 1000000 is above the maximum 16384")],
    "not_in_list": [
        (
            *("1", "kind", "zzz"),
            (
                "input 'kind': 'zzz' is not one of 'all', 'nan', 'bytes', 'tensor', 'empty', 'empty_lists', 'scalar', "
                "'mixed_keys', 'surrogate', 'string_3d'"
            ),
        )
    ],
    "not_in_big_list": [
        ("1", "denoise", 2.0, "input 'denoise': 2.0 is above the maximum 1.0"),
        ("1", "sampler_name", "zzz", "input 'sampler_name': 'zzz' is not one of the 44 choices"),
        (
            *("1", "scheduler", "zz"),
            (
                "input 'scheduler': 'zz' is not one of 'simple', 'sgm_uniform', 'karras', 'exponential', "
                "'ddim_uniform', 'beta', 'normal', 'linear_quadratic', 'kl_optimal'"
            ),
        ),
        ("1", "seed", -1, "input 'seed': -1 is below the minimum 0"),
    ],
    "multiselect_bad_v1list": [("1", "kind", ["all"], f"input 'kind' is ['all']{LIST_ADVICE}")],
    "validate_inputs_str": [
        ("1", "a", 9, "input 'a': 9 is above the maximum 5"),
        ("1", "b", "bad", "input 'b': 'bad' is refused: b must be ok"),
    ],
    "validate_false": [("1", "b", "false", f"input 'b': 'false'{NO_REASON}")],
    "validate_raise": [("1", None, None, "checking it raised RuntimeError: validate raised")],
    "validate_none": [("1", "b", "none", f"input 'b': 'none'{NO_REASON}")],
    "loadimage_missing": [
        ("1", "image", "nope.png", "input 'image': 'nope.png' is refused: Invalid image file: nope.png")
    ],
    "loadimage_traversal": [
        (
            *("1", "image", "../../etc/passwd"),
            "input 'image': '../../etc/passwd' is refused: Invalid image file: ../../etc/passwd",
        )
    ],
    "all_bad_shared_upstream": [
        ("5", "batch_size", None, "input 'batch_size' is missing"),
        ("5", "color", None, "input 'color' is missing"),
        ("5", "height", None, "input 'height' is missing"),
    ],
    "broken_INPUT_TYPES": [("1", None, None, "checking it raised RuntimeError: INPUT_TYPES broken")],
    "coerce2": [("1", "flag", [], f"input 'flag' is []{LIST_ADVICE}")],
}


@pytest.mark.parametrize("name", READINGS)
def test_captured_node_errors(name: str) -> None:
    rejected = captured(name)
    assert [(p.node_id, p.input_name, p.received_value, p.message) for p in rejected.problems] == READINGS[name]
    sent = ERRORS[name]["request"]["prompt"]
    answer = ERRORS[name]["response"]["json"]
    types = {error["type"] for entry in answer["node_errors"].values() for error in entry["errors"]}
    assert {p.type for p in rejected.problems} == types
    for problem in rejected.problems:
        assert problem.class_type == problem.title == sent[problem.node_id]["class_type"]
        assert f"node {problem.node_id} {problem.title!r}: {problem.message}" in str(rejected)
    assert rejected.node_errors == answer["node_errors"]


def test_every_captured_refusal_is_read() -> None:
    refused = {name for name, capture in ERRORS.items() if capture.get("response", {}).get("status") == 400}
    with_nodes = {name for name in refused if ERRORS[name]["response"]["json"]["node_errors"]}
    assert with_nodes == set(READINGS)
    for name in refused - with_nodes:
        body = ERRORS[name]["response"]["json"]
        rejected = read(body, {"1": {"class_type": "NoSuchNode"}})
        assert bool(rejected.problems) == (body["error"]["type"] == "missing_node_type")


def test_other_captured_answers_are_no_refusals() -> None:
    others = [
        answer
        for capture in ERRORS.values()
        if (answer := capture.get("response", capture))["status"] not in {200, 400}
    ]
    assert {answer["status"] for answer in others} == {405, 500}
    for answer in others:
        assert not is_rejection(ServerError(answer["status"], answer.get("json", answer.get("text")), "POST", "url"))
    assert not is_rejection(ServerError(400, {"error": "bad request"}, "POST", "url"))  # of a proxy
    assert not is_rejection(ServerError(400, "<html>", "POST", "url"))


SUMMARIES = {
    "no_prompt_key": "the request holds no workflow",
    "no_outputs": "there is nothing to run; it has no output node such as SaveImage or PreviewImage, or none among the "
    "targets",
    "prompt_id_upper": "prompt_id must be a valid UUID: prompt_id must be a UUID string in canonical lowercase "
    "hyphenated form; omit it to let the server generate one",
}


@pytest.mark.parametrize("name", SUMMARIES)
def test_captured_errors_without_nodes(name: str) -> None:
    rejected = read(ERRORS[name]["response"]["json"], {})
    assert str(rejected) == f"the server refused the workflow: {SUMMARIES[name]}"
    assert rejected.problems == ()


# --- what is asked of the server, and only when it matters ---


def test_the_nearest_of_a_long_list_are_asked_for() -> None:
    capture = ERRORS["not_in_big_list"]
    text = json.dumps(capture["response"]["json"]).replace('"zzz"', '"eulr"')
    server = Server({("KSampler", "sampler_name"): SAMPLERS})
    rejected = read(json.loads(text), capture["request"]["prompt"], server)
    assert server.asked == [("KSampler", "sampler_name")]
    problem = next(p for p in rejected.problems if p.input_name == "sampler_name")
    assert problem.suggestions == ("euler",)
    assert problem.message == "input 'sampler_name': 'eulr' is not one of the 44 choices; nearest: 'euler'"


def test_of_a_long_list_without_anything_near_a_few_are_shown() -> None:
    rejected = captured("not_in_big_list", Server({("KSampler", "sampler_name"): SAMPLERS}))
    assert rejected.problems[1].message == (
        "input 'sampler_name': 'zzz' is not one of 'euler', 'euler_ancestral', 'heun', 'dpm_0', 'dpm_1' and 39 more"
    )


def test_a_server_that_does_not_answer_leaves_the_rest() -> None:
    server = Server(fails=True)
    assert captured("not_in_big_list", server).problems[1].message.endswith("is not one of the 44 choices")
    assert captured("loadimage_missing", server).problems[0].message.endswith("Invalid image file: nope.png")
    rejected = captured("unknown_class", server)
    assert rejected.problems[0].message == ("the server has no class 'NoSuchNode' (is a pack of custom nodes missing?)")


def test_a_file_that_is_not_there_gets_the_nearest() -> None:
    server = Server({("LoadImage", "image"): ["fox.png", "nope (1).png", "nope.png"]})
    answer, sent = ERRORS["loadimage_missing"]["response"]["json"], ERRORS["loadimage_missing"]["request"]["prompt"]
    assert read(answer, sent, server).problems[0].suggestions == ()  # it is among them: something else is wrong
    sent = {**sent, "1": {"class_type": "LoadImage", "inputs": {"image": "nope.jpg"}}}
    problem = read(answer, sent, server).problems[0]
    assert problem.suggestions == ("nope.png", "nope (1).png")
    assert problem.message.endswith("; nearest: 'nope.png', 'nope (1).png'")


def test_short_lists_need_no_question() -> None:
    server = Server()
    captured("not_in_list", server)
    captured("below_min", server)
    captured("missing_required", server)
    assert server.asked == []


# --- unknown classes ---


@pytest.mark.parametrize("version", ["0.3.64", "0.9.2", "0.30.0"])
def test_an_unknown_class_on_any_server(version: str) -> None:
    status, _, text = VERSIONS["POST unknown class"][version].partition(" ")
    graph = {"1": {"class_type": "Ksampler", "inputs": {}, "_meta": {"title": "My sampler"}}}
    rejected = read(json.loads(text.replace("Nope", "Ksampler")), graph, status=int(status))
    assert str(rejected) == (
        "the server refused the workflow: node 1 'My sampler' (Ksampler): the server has no class 'Ksampler' "
        "(is a pack of custom nodes missing?); nearest: 'KSampler', 'KSamplerAdvanced'"
    )
    assert rejected.problems[0].suggestions == ("KSampler", "KSamplerAdvanced")
    assert rejected.problems[0].type == "missing_node_type"


def test_all_unknown_classes_are_named_though_the_server_stops_at_the_first() -> None:
    body = ERRORS["unknown_class"]["response"]["json"]
    graph = {
        "10": {"class_type": "Other"},
        "9": {"class_type": "SaveImage"},
        "1": {"class_type": "NoSuchNode"},
        "2": {"class_type": "SaveImge", "_meta": {"title": "Save"}},
    }
    rejected = read(body, graph)
    assert [(p.node_id, p.class_type) for p in rejected.problems] == [
        *(("1", "NoSuchNode"), ("2", "SaveImge"), ("10", "Other"))
    ]
    assert str(rejected).splitlines() == [
        "the server refused the workflow:",
        "  node 1 'NoSuchNode': the server has no class 'NoSuchNode' (is a pack of custom nodes missing?)",
        (
            "  node 2 'Save' (SaveImge): the server has no class 'SaveImge' (is a pack of custom nodes missing?); "
            "nearest: 'SaveImage'"
        ),
        "  node 10 'Other': the server has no class 'Other' (is a pack of custom nodes missing?)",
    ]


def test_a_node_that_was_not_sent_leaves_the_servers_sentence() -> None:
    rejected = read(ERRORS["unknown_class"]["response"]["json"], {})
    assert str(rejected) == (
        "the server refused the workflow: Node 'NoSuchNode' not found. The custom node may not be installed.: "
        "Node ID '#1'"
    )


# --- older servers ---


def test_old_forms_of_errors_without_nodes() -> None:
    for kind in ("POST no prompt", "POST no outputs", "POST cycle"):
        for version, answer in VERSIONS[kind].items():
            status, _, text = answer.partition(" ")
            if kind == "POST cycle" and version == "0.30.0":
                continue  # cut off in the capture; READINGS has it whole
            rejected = read(json.loads(text), {}, status=int(status))
            assert rejected.problems == ()
            assert len(str(rejected)) > len("the server refused the workflow: ")
    assert str(read({"error": "no prompt", "node_errors": []}, {})) == "the server refused the workflow: no prompt"
    old_cycle = json.loads(VERSIONS["POST cycle"]["0.3.64"].partition(" ")[2])
    assert str(read(old_cycle, {})) == (
        "the server refused the workflow: it names no node; old servers do so when nodes form a circle"
    )


def test_a_type_mismatch_of_2024() -> None:
    extra = {"input_name": "images", "input_config": ["IMAGE"], "received_type": "INT", "linked_node": ["1", 0]}
    error = {"type": "return_type_mismatch", "message": "", "details": "images, INT != IMAGE", "extra_info": extra}
    graph = {"1": {"class_type": "Number"}, "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    rejected = read(refusal("2", "PreviewImage", error), graph)
    assert rejected.problems[0].message == "input 'images' wants IMAGE, but output 0 of node 1 'Number' is INT"


# --- partial acceptance ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "partial_ok",
            [
                ("2", "input 'images' points at node '9', which the workflow does not have"),
                ("3", "input 'images' is missing"),
            ],
        ),
        (
            "partial_ok_shared_bad_upstream",
            [("5", f"input '{name}' is missing") for name in ("batch_size", "color", "height")],
        ),
        (
            "link_type_mismatch",
            [("2", "input 'images' wants IMAGE, but output 0 of node 1 'ProtoPassInt' is INT")],
        ),
    ],
)
def test_captured_partial_acceptance(name: str, expected: list[tuple[str, str]]) -> None:
    capture = ERRORS[name]
    assert capture["response"]["status"] == 200
    node_errors = capture["response"]["json"]["node_errors"]
    problems = problems_of(node_errors, Workflow(capture["request"]["prompt"]), Server().choices)
    assert [(problem.node_id, problem.message) for problem in problems] == expected
    rejected = PromptRejected(200, {"node_errors": node_errors}, "POST", "url", problems)
    assert str(rejected).startswith("the server refused a part of the workflow:")


def test_nothing_refused_is_no_problem() -> None:
    assert problems_of({}, Workflow({}), Server().choices) == ()
    assert problems_of([], Workflow({}), Server().choices) == ()


# --- sentences that no capture calls for ---


def sentence(error: dict[str, Any], inputs: dict[str, Any] | None = None, server: Server | None = None) -> str:
    graph = {
        "1": {"class_type": "Loader", "_meta": {"title": "Load"}},
        "9": {"class_type": "Any", "inputs": inputs or {}, "_meta": {"title": "Mine"}},
    }
    rejected = read(refusal("9", "Any", error), graph, server)
    prefix = "the server refused the workflow: node 9 'Mine' (Any): "
    assert str(rejected).startswith(prefix)
    return str(rejected).removeprefix(prefix)


def test_a_mistyped_name_of_a_required_input_is_pointed_out() -> None:
    error = {"type": "required_input_missing", "details": "images", "extra_info": {"input_name": "group.images"}}
    assert sentence(error, {"group.image": ["1", 0]}) == "input 'group.images' is missing; the node has 'group.image'"
    assert sentence({**error, "extra_info": {}}, {"width": 3}) == "input 'images' is missing"


def test_a_choice_with_nothing_to_choose_from() -> None:
    extra = {"input_name": "ckpt_name", "input_config": [[], {}], "received_value": "a.safetensors"}
    assert sentence({"type": "value_not_in_list", "extra_info": extra}) == (
        "input 'ckpt_name': 'a.safetensors' will not do: the server has nothing to choose from there"
    )


def test_a_choice_of_the_newer_kind_and_of_several() -> None:
    options = {"options": ["red", "green", "blue"], "multiselect": True}
    extra = {"input_name": "colors", "input_config": ["COMBO", options], "received_value": ["red", "gren"]}
    assert sentence({"type": "value_not_in_list", "extra_info": extra}) == (
        "input 'colors': ['red', 'gren'] is not one of the 3 choices; nearest: 'green'"
    )


def test_a_choice_of_which_nothing_is_known() -> None:
    extra = {"input_name": "x", "input_config": None, "received_value": 1}
    assert sentence({"type": "value_not_in_list", "extra_info": extra}) == (
        "input 'x': 1 is not one of the known choices"
    )


def test_long_values_are_shortened() -> None:
    extra = {"input_name": "text", "input_config": ["INT", {}], "received_value": "a" * 1000}
    text = sentence({"type": "invalid_input_type", "extra_info": extra})
    assert text == f"input 'text': '{'a' * 58}… is no INT"


def test_limits_that_the_answer_lacks() -> None:
    for kind in ("value_smaller_than_min", "value_bigger_than_max"):
        error = {"type": kind, "message": "Value 0 is off", "details": "x", "extra_info": {"input_name": "x"}}
        assert sentence(error, {"x": 0}) == "input 'x': Value 0 is off: x"


def test_a_type_that_is_a_list_of_choices() -> None:
    extra = {"input_name": "mode", "input_config": [["a"], {}], "received_type": "INT", "linked_node": ["1", 2]}
    assert sentence({"type": "return_type_mismatch", "extra_info": extra}) == (
        "input 'mode' wants one of its choices, but output 2 of node 1 'Load' (Loader) is INT"
    )


def test_a_slot_that_is_not_there_among_several_links() -> None:
    extra = {"exception_type": "IndexError"}
    error = {"type": "exception_during_validation", "details": "tuple index out of range", "extra_info": extra}
    assert sentence(error, {"a": ["1", 0], "b": ["1", 3], "c": ["1", 7]}) == (
        "input 'b' takes output 3 of node 1 'Load', which has fewer; or "
        "input 'c' takes output 7 of node 1 'Load', which has fewer"
    )
    assert sentence(error, {"a": ["1", 0], "b": 3}) == "input 'a' takes output 0 of node 1 'Load', which has fewer"
    assert sentence(error) == "checking it raised IndexError: tuple index out of range"


def test_an_exception_is_not_blamed_on_an_innocent_list() -> None:
    extra = {"exception_type": "KeyError"}
    error = {"type": "exception_during_validation", "details": "'settings'", "extra_info": extra}
    assert sentence(error, {"points": [1, 2, 3], "empty": []}) == "checking it raised KeyError: 'settings'"


def test_a_custom_check_of_a_linked_input() -> None:
    error = {"type": "custom_validation_failed", "details": "image - too dark", "extra_info": {"input_name": "image"}}
    server = Server()
    assert sentence(error, {"image": ["1", 0]}, server) == "input 'image' is refused: too dark"
    assert server.asked == []


def test_an_error_of_a_kind_to_come() -> None:
    error = {"type": "bad_weather", "message": "It rains", "details": "a lot", "extra_info": {"input_name": "x"}}
    assert sentence(error) == "input 'x': It rains: a lot"
    assert sentence({"type": "bad_weather", "message": "It rains"}) == "It rains"


def test_nodes_come_in_their_natural_order() -> None:
    error = {"type": "required_input_missing", "extra_info": {"input_name": "x"}}
    ids = ["104:10", "10", "9", "104:9"]
    problems = problems_of({node_id: {"errors": [error]} for node_id in ids}, Workflow({}), Server().choices)
    assert [problem.node_id for problem in problems] == ["9", "10", "104:9", "104:10"]


def test_a_rejection_can_be_pickled() -> None:
    rejected = captured("not_in_big_list")
    again = pickle.loads(pickle.dumps(rejected))  # noqa: S301 - our own
    assert str(again) == str(rejected)
    assert again.problems == rejected.problems


# --- whatever an answer holds ---

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
kinds = st.sampled_from(sorted({p.type for name in READINGS for p in captured(name).problems} | {"new"}))
infos = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            *("input_name", "input_config", "received_value", "received_type"),
            *("linked_node", "exception_type", "node_id", "class_type"),
        ),
        values,
    ),
)
node_errors = st.dictionaries(
    st.sampled_from(["1", "2"]),
    st.fixed_dictionaries(
        {"errors": st.lists(st.fixed_dictionaries({"type": kinds}, optional={"details": values, "extra_info": infos}))}
    )
    | values,
)


@given(node_errors | values, values, values)
def test_no_answer_makes_the_reading_fail(answer: Any, error: Any, value: Any) -> None:
    try:
        workflow = Workflow({"1": {"class_type": "X", "inputs": {"a": value, "b": ["2", 7]}}})
    except WorkflowError:
        return
    body = {"error": error, "node_errors": answer}
    rejected = explain(ServerError(400, body, "POST", "url"), workflow, lambda *_: ["a", 1], lambda: CLASSES)
    assert str(rejected).startswith("the server refused the workflow")
