"""What a prompt leads to: its events one by one, its entry in history, and itself as a job, now and when cached."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorder import short
from tests.workflows import Graph, fresh, node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.sides import Both, Side

pytestmark = pytest.mark.needs_test_nodes

RICH = {"supports_preview_metadata": True}


def run(side: Side, prompt: Graph, *, times: int = 1, features: Any = None, **more: Any) -> list[dict[str, Any]]:
    """Run it that often; all that a client is told of each run."""
    client_id = str(uuid.uuid4())
    runs = []
    with side.listen(client_id, features) as recorder:
        if features is not None:
            recorder.until("feature_flags")
        for _ in range(times):
            prompt_id = side.submit(prompt, client_id, **more)
            messages = recorder.until_end()
            entry = side.get(f"/history/{prompt_id}")[prompt_id]
            entry["prompt"][0] = "its number"
            entry["prompt"][4].sort()  # it was a set
            job = side.get(f"/api/jobs/{prompt_id}")
            job["priority"] = "its number"
            runs.append({"events": messages, "history": entry, "job": job})
    return runs


def words(run: dict[str, Any]) -> list[str]:
    return [f"BIN{each['binary']}" if "binary" in each else short(each) for each in run["events"]]


def chain(seed: int) -> Graph:
    return {
        "1": node("TestProgress", steps=2, seed=seed),
        "5:7": node("TestProgress", steps=1, value=["1", 0]),
        "a b/ü.1": node("TestText", value=["5:7", 0]),
    }


# Each has one output, or outputs of which one depends on the other: of several, ComfyUI takes any first.
RUNS: dict[str, Callable[[int], Graph]] = {
    "chain": chain,
    "one node": lambda seed: {"1": node("TestText", value="x", seed=seed)},
    "saved": lambda seed: {
        "1": node("EmptyImage", width=8, height=4, batch_size=2, color=seed % 2**24),
        "2": node("SaveImage", images=["1", 0], filename_prefix=f"comfyclient_tests/{seed}"),
    },
    "shown": lambda seed: {
        "1": node("EmptyImage", width=8, height=4, batch_size=1, color=seed % 2**24),
        "2": node("PreviewImage", images=["1", 0]),
    },
    "numbered by size": lambda seed: {
        "1": node("EmptyImage", width=8, height=4, batch_size=2, color=seed % 2**24),
        "2": node(
            "SaveImage", images=["1", 0], filename_prefix=f"comfyclient_tests/{seed}/%width%x%height%_%batch_num%"
        ),
    },
    "outside": lambda seed: {
        "1": node("EmptyImage", width=8, height=4, batch_size=1, color=seed % 2**24),
        "2": node("SaveImage", images=["1", 0], filename_prefix="../outside"),
    },
    "previews": lambda seed: {
        "1": node("TestPreview", steps=3, format="PNG", seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "JPEG previews": lambda seed: {
        "1": node("TestPreview", steps=2, format="JPEG", seed=seed, width=40, height=20, value=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "previews made smaller": lambda seed: {
        "1": node("TestPreview", steps=1, format="JPEG", seed=seed, width=40, height=20, max_size=16, value=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "previews made larger": lambda seed: {
        "1": node("TestPreview", steps=1, format="JPEG", seed=seed, width=40, height=20, max_size=80, value=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "websocket": lambda seed: {
        "1": node("EmptyImage", width=8, height=4, batch_size=2, color=seed % 2**24),
        "2": node("SaveImageWebsocket", images=["1", 0]),
    },
    "text": lambda seed: {
        "1": node("TestTextProgress", text="grüße", count=2, seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "lists": lambda seed: {
        "1": node("TestList", count=3, seed=seed),
        "2": node("TestProgress", steps=1, value=["1", 0]),
        "3": node("TestText", value=["2", 0]),
    },
    "an empty list": lambda seed: {
        "1": node("TestList", count=0, seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "an empty list and more": lambda seed: {
        "1": node("TestList", count=0, seed=seed),
        "2": node("TestText", value=["1", 0], seed=seed),
    },
    "outputs": lambda seed: {
        "1": node("TestOutputs", kinds="text,result,audio,video,files,latents,3d", seed=seed),
    },
    "odd outputs": lambda seed: {"1": node("TestOutputs", kinds="odd", seed=seed)},
    "no numbers": lambda seed: {"1": node("TestOutputs", kinds="nan", seed=seed)},
    "no output": lambda seed: {"1": node("TestSilentOutput", seed=seed)},
    "async": lambda seed: {
        "1": node("TestAsync", steps=1, seed=seed, value=1),
        "2": node("TestText", value=["1", 0]),
    },
    "async failure": lambda seed: {
        "1": node("TestAsync", steps=1, seed=seed, fail=True),
        "2": node("TestText", value=["1", 0]),
    },
    "two async nodes at a time": lambda seed: {
        "0": node("TestImage", seed=seed % 256, width=8, height=8),
        "1": node("TestAsync", steps=1, seed=seed, value=["0", 0]),
        "2": node("TestAsync", steps=1, seed=seed + 1, value=["0", 0]),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": node("PreviewImage", images=["3", 0]),
    },
    "the lazy input": lambda seed: {
        "1": node("TestProgress", steps=1, seed=seed),
        "2": node("TestRaise", exception="ValueError", message="not needed"),
        "3": node("TestLazy", first=True, a=["1", 0], b=["2", 0]),
        "4": node("TestText", value=["3", 0]),
    },
    "the other lazy input": lambda seed: {
        "1": node("TestProgress", steps=1, seed=seed),
        "3": node("TestLazy", first=False, a=["1", 0], b=["1", 0]),
        "4": node("TestText", value=["3", 0]),
    },
    "gathered": lambda seed: {
        "1": node("TestList", count=3, seed=seed),
        "2": node("TestGather", value=["1", 0]),
    },
    "intermediate": lambda seed: {
        "1": node("TestIntermediate", value=seed),
        "2": node("TestText", value=["1", 0]),
    },
    **{
        f"changed {how}": lambda seed, how=how: {  # type: ignore[misc]  # mypy takes the default for an argument
            "1": node("TestChanged", value=seed % 1000, changed=how),
            "2": node("TestText", value=["1", 0]),
        }
        for how in ("always", "never", "raise", "")
    },
    "failure": lambda seed: {
        "1": node("TestProgress", steps=2, seed=seed),
        "2": node("TestRaise", exception="ValueError", message="oh", value=["1", 0]),
    },
    "failure without a word": lambda seed: {"1": node("TestRaise", exception="KeyError", message="", seed=seed)},
    "failure after a node that shows": lambda seed: {
        "1": node("TestExpand", count=1, show=True, seed=seed),
        "2": node("TestRaise", exception="RuntimeError", message="oh", steps=2, value=["1", 0]),
    },
    "blocked": lambda seed: {
        "1": node("TestBlock", message="no", seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "blocked in silence": lambda seed: {
        "1": node("TestBlock", seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "expansion": lambda seed: {
        "1": node("TestExpand", count=2, seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "expansion that shows": lambda seed: {
        "1": node("TestExpand", count=1, show=True, seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "expansion that fails": lambda seed: {
        "1": node("TestExpand", count=1, fail=True, seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "cycle": lambda seed: {
        "1": node("TestCycle", seed=seed),
        "2": node("TestText", value=["1", 0]),
    },
    "a constant for a link": lambda seed: {
        "1": node("ImageInvert", image="foo"),
        "2": node("PreviewImage", images=["1", 0]),
        "3": node("TestText", value=["2", 0], seed=seed),
    },
    "empty image": lambda seed: {
        "1": node("EmptyImage", width=8, height=8, batch_size=1, color=seed % 2**24),
        "2": node("ImageScale", image=["1", 0], upscale_method="lanczos", width=0, height=0, crop="disabled"),
        "3": node("PreviewImage", images=["2", 0]),
    },
}


@pytest.mark.parametrize("features", [None, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_and_the_same_again(both: Both, name: str, features: Any) -> None:
    prompt = RUNS[name](fresh())
    first, again = both.agree(lambda side: run(side, prompt, times=2, features=features))

    for each in (first, again):
        told = words(each)
        assert told[:3] == ["status", "status", "execution_start"]
        assert told[-1] == "executing:None"
        assert each["history"]["status"]["messages"]
        assert each["job"]["create_time"] == "a time in milliseconds"


def test_hidden_inputs(both: Both) -> None:
    prompt = {"1": node("TestProgress", steps=1, seed=fresh()), "2": node("TestHidden", link=["1", 0])}
    extra = {"extra_pnginfo": {"a": 1}, "api_key_comfy_org": "SECRET", "auth_token_comfy_org": "TOKEN", "mine": 2}
    [told] = both.agree(lambda side: run(side, prompt, extra_data=extra))

    assert told["history"]["outputs"]["2"]["told"][0]["key"] == "SECRET"
    assert "SECRET" not in str(told["history"]["prompt"])
