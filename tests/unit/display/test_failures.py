"""Problems, refusals and failures as tables, and what a cell that raises shows."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from comfyclient import JobFailed, NodeProblem, Problem, Problems, PromptRejected, Workflow, WorkflowError
from tests.unit.display.page import page_of

NASTY = "<script>alert('&\"')</script>"


def test_problems_are_a_list_a_text_and_a_table() -> None:
    catalog = {"Load": {"name": "Load", "input": {"required": {"name": [["a", "b"]]}}, "output": []}}
    found = Workflow({"1": {"class_type": "Load", "inputs": {"name": "c", "more": 1}}}).validate(catalog)
    assert isinstance(found, list)
    assert found == [*found]
    assert repr(found) == str(found)
    assert str(found).splitlines()[0] == "error: node 1 'Load': input 'name': 'c' is not one of 'a', 'b'"
    page = page_of(found)
    assert f"{len(found)} problems · 2 errors" in page.text
    assert page.rows[1] == ["error", "1", "", "Load", "name", "input 'name': 'c' is not one of 'a', 'b'"]


def test_no_problems_say_so() -> None:
    assert str(Problems()) == "no problems"
    assert page_of(Problems()).text == "No problems"


def test_a_problem_of_the_whole_workflow_has_no_node() -> None:
    [row] = page_of(Problems([Problem("error", "the workflow has no nodes")])).table()
    assert (row["node"], row["what is wrong"]) == ("all", "the workflow has no nodes")


def rejection(*problems: NodeProblem, summary: str = "") -> PromptRejected:
    return PromptRejected(400, {"error": {"message": NASTY}}, "POST", "http://h/prompt", problems, summary)


def test_a_refusal_names_nodes_inputs_and_what_is_allowed() -> None:
    problem = NodeProblem("3", "KSampler", "Sample", "any", "input 'steps': 0 is below 1", "steps", 0)
    page = page_of(rejection(problem))
    assert page.table() == [
        {"node": "3", "": "Sample", "class": "KSampler", "input": "steps", "what is wrong": problem.message}
    ]


def test_one_without_problems_says_what_the_server_says() -> None:
    assert NASTY in page_of(rejection()).text
    assert "there is nothing to run" in page_of(rejection(summary="there is nothing to run")).text


FAILED = JobFailed(
    "0123456789",
    "3",
    "KSampler",
    "Sample",
    "ValueError",
    f"bad {NASTY}\nand more\n",
    ("  File a\n", "    raise\n"),
    {"steps": [20], "api_key": ["hunter2"], "text": [NASTY]},
)


def test_a_failure_shows_the_node_its_inputs_and_the_traceback() -> None:
    page = page_of(FAILED)
    assert "ValueError · Sample · KSampler · #3 · 01234567" in page.text
    assert f"bad {NASTY}\nand more" in page.text
    assert [row["value"] for row in page.table()] == ["20", "'***'", repr(NASTY)]
    assert "File a" in page.text
    assert not page.all("script")
    assert "hunter2" not in page.text


def test_a_failure_of_which_nothing_is_known_is_shown() -> None:
    assert "does not say why" in page_of(JobFailed("p", "", "", "", "", "")).text


def test_its_repr_is_one_line_and_it_travels() -> None:
    assert repr(FAILED) == f"JobFailed({FAILED.message!r})"
    assert str(pickle.loads(pickle.dumps(FAILED))) == str(FAILED)  # noqa: S301 - our own


CELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("colors", "nocolor")
shell.run_line_magic("xmode", sys.argv[1])
shell.run_cell("from comfyclient import Workflow\\nworkflow = Workflow({})\\ndef mine():\\n    return workflow['nine']")
shell.run_cell(sys.argv[2])
"""


def raised(mode: str, cell: str = "mine()") -> str:
    done = subprocess.run(
        [sys.executable, "-c", CELL, mode, cell], capture_output=True, text=True, timeout=100, check=True
    )
    return done.stdout


def test_a_cell_that_raises_shows_the_users_own_lines_and_the_message() -> None:
    text = raised("Context")
    assert "in mine()" in text
    assert "no node has the id 'nine'" in text
    assert "node_mapping.py" not in text
    assert "node_mapping.py" in raised("Verbose")


def test_the_ways_inside_lead_through_no_file_of_pythons() -> None:
    text = raised(
        "Context", "from comfyclient import Client\nClient('http://127.0.0.1:9').run({'1': {'class_type': 'A'}})"
    )
    assert "no ComfyUI server answers" in text
    assert "\nFile " not in text


def test_outside_of_ipython_the_hook_gives_the_whole_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    with pytest.raises(WorkflowError) as caught:
        Workflow({})["nine"]
    assert "node_mapping.py" in "".join(caught.value._render_traceback_())
