"""In what the servers differ on purpose is what the documentation says, and nothing else."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.testing.nodes import default_nodes, text_to_image
from tests.conftest import soon
from tests.docs.pages import DOCS
from tests.recorder import short
from tests.workflows import fresh, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.sides import Both, Side

pytestmark = pytest.mark.needs_test_nodes

PAGE = (DOCS / "reference" / "embedded-server.md").read_text(encoding="utf-8")
PORTRAIT = (DOCS / "examples" / "portrait.json").read_text(encoding="utf-8")


def rows() -> dict[str, tuple[str, str]]:
    """The table of what the tests know: what ComfyUI does, and what the embedded server does."""
    table = PAGE.partition("The tests know that too:")[2].partition("And there is")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {what: (real, embedded) for what, real, embedded in cells[2:]}


def previews(side: Side) -> str:
    """How many a sampler makes of its steps."""
    text = PORTRAIT if side.name == "embedded" else PORTRAIT.replace("CheckpointLoaderSimple", "TestCheckpoint")
    graph = json.loads(text)
    graph["3"]["inputs"] |= {"steps": 3, "seed": fresh()}
    graph["5"]["inputs"] |= {"width": 64, "height": 64}
    client_id = str(uuid.uuid4())
    with side.listen(client_id) as recorder:
        side.submit(graph, client_id)
        words = [short(each) for each in recorder.until_end()]
    return {0: "none", 3: "of every step"}[words.count("BIN1")]


def array_as_text(side: Side) -> str:
    prompt_id = side.submit({"1": node("TestImage", seed=fresh()), "2": node("TestText", value=["1", 0])})
    assert soon(lambda: prompt_id in side.get(f"/history/{prompt_id}"))
    [text] = side.get(f"/history/{prompt_id}")[prompt_id]["outputs"]["2"]["text"]
    return "as torch writes it" if text.startswith("tensor(") else "as NumPy writes it"


def some(words: str, path: str) -> Callable[[Side], str]:
    return lambda side: words if side.get(path) else "none"


def status(path: str) -> Callable[[Side], str]:
    return lambda side: str(side.ask("GET", path).status_code)


def object_info(side: Side) -> str:
    names = side.get("/object_info").keys()
    assert default_nodes().keys() <= names
    return "all of ComfyUI's nodes" if "KSamplerAdvanced" in names else "those above, and yours"


def tooltips(side: Side) -> str:
    [*_, options] = side.get("/object_info/KSampler")["KSampler"]["input"]["required"]["denoise"]
    return "yes" if "tooltip" in options else "no"


def checkpoints(side: Side) -> str:
    offered = "v1-5-pruned-emaonly.safetensors" in side.get("/models/checkpoints")
    return "names to load nothing from" if offered else "what there is"


def pytorch(side: Side) -> str:
    version = side.get("/system_stats")["system"]["pytorch_version"]
    return "a version" if version[0].isdigit() else version.split()[0]


def home(side: Side) -> str:
    return "a word" if len(side.ask("GET", "/").text) < 100 else "the editor"


PROBES: dict[str, Callable[[Side], str]] = {
    "`GET /object_info`": object_info,
    "tooltips of the stand-ins": tooltips,
    "`GET /models/checkpoints`": checkpoints,
    "previews, if a prompt does not say which": previews,
    "a picture as text, in `current_inputs` and the like": array_as_text,
    "`pytorch_version` in `GET /system_stats`": pytorch,
    "`GET /`": home,
    "`GET /extensions`": some("the editor's", "/extensions"),
    "`GET /global_subgraphs`": some("ComfyUI's", "/global_subgraphs"),
    "`GET /node_replacements`": some("ComfyUI's", "/node_replacements"),
    "`GET /templates/index.json`": status("/templates/index.json"),
    "`GET /docs/AddNoise/en.md`": status("/docs/AddNoise/en.md"),
}


@pytest.mark.parametrize("what", PROBES)
def test_a_difference(both: Both, what: str) -> None:
    assert both.each(PROBES[what]) == rows()[what]


def test_all_differences_are_tested() -> None:
    assert rows().keys() == PROBES.keys()


def test_the_lists_of_nodes() -> None:
    _, exact, stand_ins = re.split("^These ", PAGE, flags=re.MULTILINE)
    listed = (
        set(re.findall("`([A-Z][A-Za-z]+)`", exact)),
        set(re.findall("`([A-Z][A-Za-z]+)`", stand_ins.split("```")[0])),
    )
    standing_in: set[Any] = {each.__name__ for each in text_to_image.NODES}
    assert listed == (default_nodes().keys() - standing_in, standing_in)
