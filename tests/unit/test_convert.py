"""Parsed JSON into classes: what fits, what does not, and what is said about it."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

import attrs
import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from comfyclient import _convert, types
from comfyclient._convert import Misfit, explain, hook, structure
from comfyclient.events import EVENT_TYPES
from comfyclient.types import FileInfo, HistoryEntry, NodeInfo, PromptStatus, QueueItem

if TYPE_CHECKING:
    from random import Random


@frozen
class Inner:
    x: int


@frozen
class Everything:
    text: str
    whole: int
    number: float
    flag: bool
    either: int | float
    anything: Any
    mapping: Mapping[str, Any]
    array: list[Any]
    inner: Inner
    inners: tuple[Inner, ...]
    texts: tuple[str, ...]
    by_name: dict[str, Inner]
    maybe_text: str | None
    maybe_inner: Inner | None = None
    maybe_number: int | float | None = None
    maybe_mapping: dict[str, Any] | None = None
    maybe_inners: tuple[Inner, ...] | None = None
    default: str = "default"
    made: list[Any] = field(factory=list)
    keyword: int = field(default=1, kw_only=True)
    extra: dict[str, Any] = field(factory=dict, kw_only=True)


FITTING: dict[str, Any] = {
    "text": "7",
    "whole": 7,
    "number": 7.5,
    "flag": True,
    "either": 7,
    "anything": {"a": [None]},
    "mapping": {"a": 1},
    "array": [1, None],
    "inner": {"x": 1},
    "inners": [{"x": 1}, {"x": 2}],
    "texts": ["a", "b"],
    "by_name": {"a": {"x": 1}},
    "maybe_text": None,
}

WRONG: dict[str, list[Any]] = {
    "text": [None, 7, True, [], {}],
    "whole": [None, "7", 7.0, True, [], {}],
    "number": [None, "7", True, [], {}],
    "flag": [None, "true", 1, 0.0, [], {}],
    "either": [None, "7", False, [], {}],
    "mapping": [None, "7", 7, True, []],
    "array": [None, "7", 7, True, {}],
    "inner": [None, "7", 7, True, [], {}, {"x": None}, {"x": "1"}],
    "inners": [None, "7", 7, True, {}, [None], [{"x": 1}, {}]],
    "texts": [None, "ab", 7, True, {}, [None], ["a", 7]],
    "by_name": [None, "7", 7, True, [], {"a": None}, {"a": {}}],
    "maybe_text": [7, True, [], {}],
    "maybe_inner": ["7", 7, True, [], {}],
    "maybe_number": ["7", True, [], {}],
    "maybe_mapping": ["7", 7, True, []],
    "maybe_inners": ["7", 7, True, {}, [None]],
    "default": [None, 7],
    "made": [None, {}, "ab"],
    "keyword": [None, "1", True],
}


def test_what_fits() -> None:
    built = structure(FITTING, Everything)

    assert built == Everything(
        **{
            **FITTING,
            "inner": Inner(1),
            "inners": (Inner(1), Inner(2)),
            "texts": ("a", "b"),
            "by_name": {"a": Inner(1)},
        }
    )
    assert built.default == "default"
    assert built.extra == {}


def test_what_fits_fully() -> None:
    optional = {
        "maybe_text": "text",
        "maybe_inner": {"x": 1},
        "maybe_number": 2,
        "maybe_mapping": {"a": {}},
        "maybe_inners": [{"x": 3}],
        "default": "other",
        "made": [1],
        "keyword": 5,
    }
    built = structure({**FITTING, **optional}, Everything)

    assert (built.maybe_text, built.maybe_inner, built.maybe_number) == ("text", Inner(1), 2)
    assert (built.maybe_mapping, built.maybe_inners) == ({"a": {}}, (Inner(3),))
    assert (built.default, built.made, built.keyword) == ("other", [1], 5)


def test_null_is_none_where_it_may_be() -> None:
    optional = dict.fromkeys(["maybe_inner", "maybe_number", "maybe_mapping", "maybe_inners"])

    assert structure({**FITTING, **optional}, Everything) == structure(FITTING, Everything)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_does_not_fit_is_named_with_its_path(name: str, value: Any) -> None:
    with pytest.raises(Misfit) as caught:
        structure({**FITTING, name: value}, Everything)

    (error,) = caught.value.errors
    assert f"$.{name}" in error
    assert "is due, not" in error or "is missing" in error


def test_nothing_is_converted() -> None:
    """As cattrs would by itself: None into 'None', "7" into 7, 7.9 into 7, and "false" into True."""
    for name, value in [("text", None), ("whole", "7"), ("whole", 7.9), ("flag", "false"), ("number", "nan")]:
        with pytest.raises(Misfit):
            structure({**FITTING, name: value}, Everything)
    built = structure({**FITTING, "number": 7}, Everything)
    assert type(built.number) is int, "an integer is a number, and stays what it is"


def test_containers_are_not_copied() -> None:
    built = structure(FITTING, Everything)

    assert built.anything is FITTING["anything"]
    assert built.mapping is FITTING["mapping"]
    assert built.array is FITTING["array"]


def test_every_default_is_made_anew() -> None:
    assert structure(FITTING, Everything).made is not structure(FITTING, Everything).made
    assert structure(FITTING, Everything).extra is not structure(FITTING, Everything).extra


def test_unknown_keys_are_extra_and_a_key_of_that_name_too() -> None:
    built = structure({**FITTING, "new": 1, "extra": {"a": 2}, "": None, "default": "x"}, Everything)

    assert built.extra == {"new": 1, "extra": {"a": 2}, "": None}
    assert structure({**FITTING, "extra": 5}, Everything).extra == {"extra": 5}


def test_a_class_without_extra_drops_them() -> None:
    assert structure({"x": 1, "y": 2}, Inner) == Inner(1)


@pytest.mark.parametrize("data", [None, [], "x", 7, True, [["x", 1]]])
def test_a_class_is_built_from_objects_only(data: Any) -> None:
    for cls in (Inner, Everything, NodeInfo):
        with pytest.raises(Misfit, match=r"an object is due, not .* @ \$$"):
            structure(data, cls)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Misfit) as caught:
        structure({**FITTING, "text": None, "inners": [{"x": 1}, {"x": "1"}], "by_name": {"a b": {}}}, Everything)

    assert set(caught.value.errors) == {
        "a string is due, not null @ $.text",
        "an integer is due, not a string @ $.inners[1].x",
        "'x' is missing @ $.by_name['a b'].x",
    }
    assert str(caught.value) == "; ".join(caught.value.errors)


def test_but_not_endlessly() -> None:
    with pytest.raises(Misfit) as caught:
        structure([None] * 1000, tuple[Inner, ...])

    assert len(caught.value.errors) == 11
    assert caught.value.errors[-1] == "and 990 more"


def test_values_are_not_told() -> None:
    for data in ({"x": "secret"}, {"x": ["secret"]}, {"x": {"secret": 1}}, "secret", ["secret"]):
        with pytest.raises(Misfit) as caught:
            structure(data, Inner)
        assert "secret" not in str(caught.value)


def test_containers_of_classes() -> None:
    assert structure({"a": {"x": 1}}, dict[str, Inner]) == {"a": Inner(1)}
    assert structure([{"x": 1}], tuple[Inner, ...]) == (Inner(1),)
    data = {"a": [1]}
    assert structure(data, dict[str, Any]) is data
    with pytest.raises(Misfit, match=r"an object is due, not an array @ \$"):
        structure([], dict[str, Any])


def test_a_hook_is_made_once() -> None:
    assert hook(Everything) is hook(Everything)


def test_a_hook_raises_something_and_explain_says_why() -> None:
    with pytest.raises(TypeError) as caught:
        hook(Inner)({"x": "1"})

    assert explain(caught.value, {"x": "1"}, Inner) == "an integer is due, not a string @ $.x"
    assert explain(ValueError("otherwise"), {"x": 1}, Inner) == "ValueError: otherwise"


def as_it_is(value: Any) -> Any:
    return value


def test_a_field_with_a_converter_gets_the_raw_value() -> None:
    @frozen
    class Own:
        a: str = field(converter=repr)
        nodes: Mapping[str, Inner] = field(converter=dict)
        maybe: dict[str, Any] | None = field(default=None, converter=as_it_is)

    built = structure({"a": 7, "nodes": {"n": {"x": "raw"}}}, Own)

    assert built.a == "7"
    assert dict[str, Any](built.nodes) == {"n": {"x": "raw"}}
    assert structure({"a": 7, "nodes": {}, "maybe": None}, Own).maybe is None
    for wrong, name in (({"a": 7, "nodes": []}, "nodes"), ({"a": 7, "nodes": {}, "maybe": 5}, "maybe")):
        with pytest.raises(Misfit, match=rf"an object is due, not .* @ \$\.{name}"):
            structure(wrong, Own)


def test_a_converter_or_validator_that_objects_is_a_misfit() -> None:
    def refuse(_: Any) -> Any:
        raise ZeroDivisionError("secret")

    @frozen
    class Fussy:
        a: Any = field(converter=refuse)

    with pytest.raises(Misfit, match="a ZeroDivisionError arose"):
        structure({"a": 1}, Fussy)


# --- wire forms of their own ----------------------------------------------------------------------------------


@frozen
class Counted:
    x: int
    extra: dict[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.extra["seen"] = self.x


@frozen
class Prepared:
    x: int

    def __attrs_pre_init__(self) -> None:
        SEEN.append("prepared")


@frozen(slots=False)
class Loose:
    x: int


def _add_x(y: int, self: Any) -> int:
    return int(self.x + y)


@frozen
class Related:
    x: int
    y: int = field(converter=attrs.Converter(_add_x, takes_self=True))  # type: ignore[misc]  # mypy knows no such


@frozen
class Derived:
    x: int
    twice: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.x)


SEEN: list[str] = []


def test_what_a_class_does_when_it_is_made_is_done() -> None:
    """Though those that do nothing but to fill slots are filled directly."""
    assert structure({"x": 1, "y": 2}, Counted).extra == {"y": 2, "seen": 1}
    structure({"x": 1}, Prepared)
    assert SEEN == ["prepared"]
    assert structure({"x": 1}, Loose).x == 1
    assert structure({"x": 1, "y": 2}, Related).y == 3
    assert structure({"x": 4}, Derived).twice == 8


def test_a_queue_item_is_an_array() -> None:
    graph: dict[str, Any] = {"1": {}}
    item = structure([3, "id", graph, {"client_id": "c"}, ["1"]], QueueItem)

    assert item == QueueItem(3, "id", graph, {"client_id": "c"}, ("1",))
    assert item.prompt is graph
    assert structure([3, "id", graph, {}], QueueItem).outputs_to_execute == ()
    assert "secret" not in repr(structure([3, "id", graph, {"api_key": "secret"}, [], {"k": "secret"}], QueueItem))


@pytest.mark.parametrize("data", [[], [1], [1, "id"], [True, "id", {}], [1, 2, {}], [1, "id", []], {}, None])
def test_what_is_no_queue_item(data: Any) -> None:
    with pytest.raises(Misfit):
        structure(data, QueueItem)


def test_old_servers_have_an_array_of_no_errors() -> None:
    status = structure({"prompt_id": "id", "number": -0.5, "node_errors": []}, PromptStatus)

    assert status == PromptStatus("id", -0.5)
    with pytest.raises(Misfit, match=r"\$\.node_errors"):
        structure({"prompt_id": "id", "number": 1, "node_errors": ["x"]}, PromptStatus)


@pytest.mark.parametrize(
    ("data", "info"),
    [
        ({"filename": "a.png", "subfolder": "s", "type": "temp"}, FileInfo("a.png", "s", "temp")),
        ({"name": "a.png", "subfolder": "", "type": "input"}, FileInfo("a.png", "", "input")),
        ({"filename": "a.png"}, FileInfo("a.png")),
        ({"filename": "a.png", "subfolder": None, "type": None}, FileInfo("a.png")),
    ],
)
def test_a_file_goes_by_either_name(data: Any, info: FileInfo) -> None:
    before = dict(data)

    assert structure(data, FileInfo) == info
    assert data == before


def test_a_file_with_both_names() -> None:
    built = structure({"filename": "a.png", "name": "Title", "id": "asset"}, FileInfo)

    assert built.filename == "a.png"
    assert built.extra == {"name": "Title", "id": "asset"}


@pytest.mark.parametrize("data", [{}, {"filename": None}, {"filename": 5}, {"filename": "a", "type": 5}, "a.png", None])
def test_what_is_no_file(data: Any) -> None:
    with pytest.raises(Misfit):
        structure(data, FileInfo)


# --- anything at all ------------------------------------------------------------------------------------------

KEYS = sorted({a.name for name in types.__all__ for a in attrs.fields(getattr(types, name))} | {"name", "new"})
TEXT = st.text(max_size=5) | st.sampled_from(KEYS)
NUMBER = st.integers() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=20,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON,
    str: TEXT,
    int: st.integers(),
    float: NUMBER,
    int | float: NUMBER,
    bool: st.booleans(),
    datetime: st.datetimes().map(datetime.isoformat),
    dict[str, Any]: OBJECT,
    Mapping[str, Any]: OBJECT,
    list[Any]: st.lists(JSON, max_size=3),
    NoneType: st.none(),
}
CLASSES: list[Any] = [getattr(types, name) for name in types.__all__ if name != "InputInfo"]
CLASSES += [dict[str, HistoryEntry], dict[str, NodeInfo], tuple[FileInfo, ...], Everything]
CLASSES += [cls for name, cls in EVENT_TYPES.items() if name != "feature_flags"]


def fitting(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON that fits, by the annotations alone."""
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if get_origin(annotation) is UnionType:
        return st.one_of(*map(fitting, get_args(annotation)))
    if get_origin(annotation) is tuple:
        return st.lists(fitting(get_args(annotation)[0]), max_size=3)
    if get_origin(annotation) in {dict, Mapping}:
        return st.dictionaries(TEXT, fitting(get_args(annotation)[1]), max_size=3)
    attrs.resolve_types(annotation)
    fields = {a.name: fitting(a.type) for a in attrs.fields(annotation) if a.name != "extra"}
    if annotation is QueueItem:
        return st.tuples(*fields.values()).map(list)
    required = {a.name for a in attrs.fields(annotation) if a.default is attrs.NOTHING}
    known = st.fixed_dictionaries(
        {name: value for name, value in fields.items() if name in required},
        optional={name: value for name, value in fields.items() if name not in required},
    )
    unknown = st.dictionaries(TEXT.filter(lambda key: key not in fields), JSON, max_size=3)
    return st.builds(operator.or_, unknown, known)


def spoilt(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON that fits but for one value, as a rule."""
    return st.builds(_spoil, fitting(annotation), JSON, st.randoms(use_true_random=False))


def _spoil(value: Any, other: Any, random: Random) -> Any:
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or random.random() < 0.2:
        return other
    key = random.choice(keys)
    if random.random() < 0.2:
        del value[key]
    else:
        value[key] = _spoil(value[key], other, random)
    return value


def attempt(build: Any, value: Any, cls: Any) -> Any:
    try:
        return build(value, cls)
    except Misfit as misfit:
        return misfit


@settings(max_examples=20, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("cls", CLASSES, ids=str)
def test_arbitrary_json_fits_or_is_a_misfit(cls: Any, data: st.DataObject) -> None:
    value = data.draw(spoilt(cls))
    before = repr(value)
    outcomes = [attempt(build, value, cls) for build in (structure, _convert._in_detail)]

    # The detailed converter is of the same opinion, so that no reason is ever missing.
    assert repr(outcomes[0]) == repr(outcomes[1])
    if isinstance(outcomes[0], Misfit):
        assert outcomes[0].errors
        assert all(" @ $" in error or error.startswith("and ") for error in outcomes[0].errors)
        with pytest.raises(Exception):  # noqa: B017, PT011 - a hook may raise whatever it likes
            hook(cls)(value)
    assert repr(value) == before, "what arrived is left as it was"


@settings(max_examples=8, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("cls", CLASSES, ids=str)
def test_what_the_annotations_promise_fits(cls: Any, data: st.DataObject) -> None:
    value = data.draw(fitting(cls))

    assert repr(structure(value, cls)) == repr(_convert._in_detail(value, cls))
