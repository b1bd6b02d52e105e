"""Whatever JSON comes along, a workflow is made of it, or it is refused with a WorkflowError."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.node import needed

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ids = st.sampled_from(["1", "2", "3", "nodes", "prompt", "last_node_id"])
link_like = st.lists(ids | st.integers(-1, 3) | st.floats(), max_size=3)
nodes = st.fixed_dictionaries(
    {},
    optional={
        "class_type": st.sampled_from(["A", "B"]) | scalars,
        "inputs": st.dictionaries(st.text(max_size=3), link_like | values, max_size=4) | scalars,
        "_meta": st.fixed_dictionaries({}, optional={"title": st.text() | scalars}) | scalars,
        "is_changed": values,
    },
)
good_nodes = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(["A", "B"]),
        "inputs": st.dictionaries(st.text(max_size=3), st.tuples(ids, st.just(0)) | values, max_size=4),
    }
)
graphs = st.dictionaries(ids, good_nodes | nodes | values, max_size=4)


def use(load: Any) -> None:
    """Do with a workflow everything that a client does; what passes the check must be good for sending."""
    try:
        workflow = Workflow.load(load)
        repr(workflow)
        assert needed(workflow, workflow) == set(workflow)
        assert all(len(node.downstream) < len(workflow) for node in workflow.values())
        workflow.outputs()
        assert not workflow.diff(workflow.copy())
        workflow.copy().randomize_seeds()
        assert workflow.copy() == workflow or "nan" in repr(workflow.to_api())
        assert all(workflow.title(node_id) == node.title for node_id, node in workflow.items())
        workflow.find_all(title="x")
        workflow.check()
    except WorkflowError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
        return
    text = json.dumps(workflow.to_api(), allow_nan=False)
    assert json.loads(text) == workflow.to_api()
    assert Workflow.load(workflow.to_json()) == workflow


@given(graphs | values)
def test_json_of_any_shape(value: Any) -> None:
    use(json.dumps(value).encode())
    if isinstance(value, dict):
        use(value)


@given(st.binary())
def test_bytes(data: bytes) -> None:
    use(data)


@given(st.text())
def test_text(text: str) -> None:
    use("{" + text)


@given(graphs, st.dictionaries(st.text(), scalars, max_size=3), st.booleans())
def test_set(graph: Any, changes: dict[str, Any], add: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
    try:
        workflow = Workflow(graph)
        before = workflow.to_api()
    except WorkflowError:
        return
    try:
        workflow.set(changes, add=add)
    except WorkflowError:
        assert repr(workflow.to_api()) == repr(before)
