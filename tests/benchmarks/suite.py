"""The benchmarks by name: what each one compares, and the bounds that were promised."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import cached_property, partial
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks import (
    catalogue,
    downloads,
    embedded,
    events,
    exchanges,
    imports,
    latency,
    memory,
    pending,
    previews,
    questions,
    runs,
    uploads,
    workflows,
)
from tests.benchmarks.measure import SECONDS, in_fresh_python, in_turn, ratios, values
from tests.benchmarks.report import Row
from tests.benchmarks.scripted import ScriptedServer
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

    from tests.benchmarks.measure import Measured


class Stage:
    """How much is to be measured, and the servers for it, each started when it is first needed.

    Attributes:
        rounds: How many rounds.
        quick: Whether it is only tried out, with too little for a result.
    """

    def __init__(self, rounds: int, *, quick: bool) -> None:
        self.rounds = rounds
        self.quick = quick
        self._servers = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    def size(self, full: int, quick: int) -> int:
        """How much of something."""
        return quick if self.quick else full

    @cached_property
    def scripted_url(self) -> str:
        """Where the scripted server answers."""
        return self._servers.enter_context(ScriptedServer()).url

    @cached_property
    def comfyui(self) -> RealServer:
        """A real ComfyUI of our own, since somebody else's has other things to do."""
        installation = find()
        if installation is None:
            sys.exit("There is no ComfyUI in the cache: run `make comfyui`, or set COMFYUI_PATH.")
        return self._servers.enter_context(RealServer(installation, "--max-upload-size", "400"))


# --- 1 to 3 -------------------------------------------------------------------------------------------------

_BOUNDS: dict[str, dict[str, float]] = {
    "json30": {"callback": 1.15, "iterator": 1.45, "iterator, orjson": 0.90, "defaults": 0.08},
    "json3": {"callback": 0.80, "iterator": 0.85, "iterator, orjson": 0.60, "defaults": 0.15},
}


def from_socket_to_code(stage: Stage) -> Iterator[Row]:
    """Events from the socket to a callback and to a loop."""
    for corpus, nodes in (("json30", 30), ("json3", 3)):
        measured = in_turn(_event_variants(stage, corpus), stage.rounds, tries=3)
        yield from _event_rows(measured, _BOUNDS[corpus], f"{nodes}-node progress")


def _event_variants(stage: Stage, corpus: str) -> dict[str, Callable[[], Measured]]:
    count = stage.size(50_000 // 4, 2_000)  # twice in a round

    def variant(
        function: Callable[..., Measured], *, script: str = corpus, orjson: bool = False, **more: Any
    ) -> Callable[[], Measured]:
        arguments = {"url": stage.scripted_url, "corpus": script, "events": count, **more}
        return partial(in_fresh_python, function, without=() if orjson else ("orjson",), **arguments)

    distinct = f"{corpus}-distinct"
    return {
        "raw": variant(events.raw_loop),
        "defaults": variant(events.raw_loop, check_utf8=True, events=count // 5),  # sixteen times slower
        "callback": variant(events.to_callback, with_job=True),
        "callback, no job": variant(events.to_callback, with_job=False),
        "iterator": variant(events.to_iterator, with_job=True),
        "iterator, orjson": variant(events.to_iterator, with_job=True, orjson=True),
        "raw, distinct": variant(events.raw_loop, script=distinct),
        "callback, distinct": variant(events.to_callback, script=distinct, with_job=False),
        "iterator, distinct": variant(events.to_iterator, script=distinct, with_job=False),
    }


def _event_rows(measured: list[dict[str, Measured]], bounds: dict[str, float], what: str) -> Iterator[Row]:
    def row(text: str, over: str, base: str, target: str = "", bound: float | None = None) -> Row:
        reached = f"{median(values(measured, over, 'delivered')):.0%} of the events reached it"
        return Row(target, f"{what}: {text}", ratios(measured, over, base), bound, note=reached)

    yield row("callback / raw loop", "callback", "raw", "1", bounds["callback"])
    yield row("callback, no job / raw loop", "callback, no job", "raw", "1", bounds["callback"])
    yield row("iterator / raw loop", "iterator", "raw", "2", bounds["iterator"])
    yield row("iterator with orjson / raw loop", "iterator, orjson", "raw", "2", bounds["iterator, orjson"])
    yield row("callback / loop with defaults", "callback", "defaults", "3", bounds["defaults"])
    yield row("callback, nothing to leave out / raw loop", "callback, distinct", "raw, distinct")
    yield row("iterator, nothing to leave out / raw loop", "iterator, distinct", "raw, distinct")


# --- 4 and 5 ------------------------------------------------------------------------------------------------


def of_previews(stage: Stage) -> Iterator[Row]:
    """Previews to a callback, and how many wait for a listener that never looks."""
    url, count = stage.scripted_url, stage.size(5_000, 300)
    variants: dict[str, Callable[[], Measured]] = {
        "raw": partial(in_fresh_python, previews.raw_recv, url=url, events=count),
        "decoded": partial(in_fresh_python, previews.decoded, url=url, events=count),
        "callback": partial(in_fresh_python, previews.to_callback, url=url, events=count),
    }
    measured = in_turn(variants, stage.rounds)
    reached = f"{median(values(measured, 'callback', 'delivered')):.0%} of the previews reached it"
    yield Row("", "previews: read and decoded / recv()", ratios(measured, "decoded", "raw"))
    yield Row("4", "previews: callback / recv()", ratios(measured, "callback", "raw"), 1.25, note=reached)
    kept = [in_fresh_python(previews.to_nobody, url=url, events=count) for _ in range(stage.rounds)]
    yield Row("4", "previews kept for a listener that never looks", kept, 200, "previews", f"of {count} that came")


def of_latency(stage: Stage) -> Iterator[Row]:
    """From the server to whoever waits, the main thread idle and busy."""
    idle: dict[str, Any] = {"url": stage.scripted_url, "events": stage.size(200, 20), "pause": 0.005}
    variants: dict[str, Callable[[], Measured]] = {
        "raw": partial(in_fresh_python, latency.raw_recv, **idle),
        "iterator": partial(in_fresh_python, latency.to_iterator, **idle),
        "callback": partial(in_fresh_python, latency.to_callback, **idle),
    }
    measured = in_turn(variants, stage.rounds)
    yield Row("5", "delay to a waiting loop / to recv()", ratios(measured, "iterator", "raw"), 1.4)
    yield Row("", "delay to a callback / to recv()", ratios(measured, "callback", "raw"))
    busy: dict[str, Any] = {"url": stage.scripted_url, "events": stage.size(100, 3), "pause": 0.1, "size": 60_000}
    variants = {
        "raw": partial(in_fresh_python, latency.raw_thread_beside_work, **busy),
        "least": partial(in_fresh_python, latency.least_thread_beside_work, **busy),
        "callback": partial(in_fresh_python, latency.to_callback_beside_work, **busy),
    }
    measured = in_turn(variants, stage.rounds, tries=1)  # what disturbs is what this is about
    what = "delay of a 60 KB preview beside a busy main thread"
    note = "no thread can have less than the next row"
    yield Row("5", f"{what}: callback / stock reader in a thread", ratios(measured, "callback", "raw"), 0.2, note=note)
    yield Row("", f"{what}: one turn of the interpreter / stock reader", ratios(measured, "least", "raw"))


# --- 6 to 12 and 14: a real server ----------------------------------------------------------------------------


def of_runs(stage: Stage) -> Iterator[Row]:
    """Whole runs of a small workflow."""
    url = stage.comfyui.url
    count, jobs = stage.size(15, 2), stage.size(100, 5)
    variants: dict[str, Callable[[], Measured]] = {
        "sdk": partial(runs.with_sdk, url, count),
        "raw": partial(runs.with_raw_script, url, count),
        "example": partial(runs.with_official_example, url, count),
        "sequential": partial(runs.one_after_the_other, url, jobs),
        "at once": partial(runs.all_at_once, url, jobs),
    }
    measured = in_turn(variants, stage.rounds, tries=4)
    yield Row("6", "client.run / raw script", ratios(measured, "sdk", "raw"), 1.10)
    yield Row("6", "client.run / official example", ratios(measured, "sdk", "example"), 1.0)
    yield Row("7", f"{jobs} jobs queued at once / one after the other", ratios(measured, "at once", "sequential"), 0.85)


def of_exchanges(stage: Stage) -> Iterator[Row]:
    """Small requests, one after the other."""
    url, count = stage.comfyui.url, stage.size(300, 5)
    functions = {
        "get": exchanges.get_with_client,
        "session's get": exchanges.get_with_session,
        "post": exchanges.post_with_client,
        "session's post": exchanges.post_with_session,
    }
    variants = {name: partial(function, url, count) for name, function in functions.items()}
    measured = in_turn(variants, stage.rounds)
    yield Row("8", "GET / requests.Session.get", ratios(measured, "get", "session's get"), 0.85)
    yield Row("8", "POST / requests.Session.post", ratios(measured, "post", "session's post"), 1.0)


def of_downloads(stage: Stage) -> Iterator[Row]:
    """A large file from ``/view``."""
    size = stage.size(100, 5) * 1_000_000
    (stage.comfyui.base_directory / "output" / downloads.NAME).write_bytes(bytes(size))
    fetchers = {
        "raw": downloads.raw_socket,
        "content": downloads.requests_content,
        "sink": downloads.to_sink,
        "memory": downloads.to_memory,
        "file": downloads.to_file,
    }
    variants = {name: partial(fetch, stage.comfyui.url, size) for name, fetch in fetchers.items()}
    measured = in_turn(variants, stage.rounds, tries=2)
    what = f"download of {size // 1_000_000} MB"
    yield Row("9", f"{what} to a sink / raw socket", ratios(measured, "sink", "raw"), 1.5)
    yield Row("9", f"{what} to a file / raw socket", ratios(measured, "file", "raw"), 3.0)
    yield Row("9", f"{what} to a sink / requests' .content", ratios(measured, "sink", "content"), 0.35)
    yield Row("", f"{what} into memory / requests' .content", ratios(measured, "memory", "content"))


def of_uploads(stage: Stage) -> Iterator[Row]:
    """A large file to ``/upload/image``."""
    size = stage.size(100, 5) * 1_000_000
    variants = {
        "raw": partial(uploads.raw_socket, stage.comfyui.url, size),
        "sdk": partial(uploads.sdk, stage.comfyui.url, size),
    }
    measured = in_turn(variants, stage.rounds, tries=2)
    yield Row("10", f"upload of {size // 1_000_000} MB / raw socket", ratios(measured, "sdk", "raw"), 1.25)


def of_memory(stage: Stage) -> Iterator[Row]:
    """How much memory files of any size take."""
    small, large = stage.size(25, 3) * 1_000_000, stage.size(300, 5) * 1_000_000
    memory.prepare(stage.comfyui.base_directory / "output", small, large)
    rounds = range(stage.rounds)
    for what, function in (
        ("stream", memory.of_stream),
        ("download", memory.of_download),
        ("upload", memory.of_upload),
    ):
        grown = {
            size: [in_fresh_python(function, url=stage.comfyui.url, size=size) for _ in rounds]
            for size in (small, large)
        }
        more = [many - few for many, few in zip(grown[large], grown[small], strict=True)]
        megabytes = f"{large // 1_000_000} MB"
        yield Row("11", f"{what} of {megabytes}: growth of the process", grown[large], 4, "MB")
        yield Row("11", f"{what} of {megabytes}: beyond that for {small // 1_000_000} MB", more, 1, "MB")


def of_catalogue(stage: Stage) -> Iterator[Row]:
    """All classes of nodes, from the bytes of the answer on."""
    times = stage.size(5, 1)
    for kind, what in (("real", "catalogue of 610 nodes"), ("heavy", "catalogue of 3,000 nodes, 14 MB")):
        functions = {
            "base": catalogue.json_loads,
            "lazily": catalogue.lazily,
            "deep": catalogue.deep,
            "kept": catalogue.kept,
            "search": catalogue.search,
        }
        variants: dict[str, Callable[[], Measured]] = {
            name: partial(in_fresh_python, function, kind=kind, times=times) for name, function in functions.items()
        }
        measured = in_turn(variants, stage.rounds, tries=1)
        yield Row("12", f"{what}, ten looked at / json.loads", ratios(measured, "lazily", "base"), 1.3)
        yield Row("12", f"{what}, each looked at / json.loads", ratios(measured, "deep", "base"), 2.2)
        yield Row("", f"{what}, each looked at and kept / json.loads", ratios(measured, "kept", "base"))
        yield Row("", f"search in a {what} / json.loads", ratios(measured, "search", "base"))


def of_workflows(stage: Stage) -> Iterator[Row]:
    """The largest official template, against a catalogue that is there."""
    times = stage.size(20, 1)
    functions = {
        "base": workflows.json_loads,
        "converted": workflows.converted,
        "validated": workflows.validated,
        "saved": workflows.saved,
        "written": workflows.written,
    }
    variants: dict[str, Callable[[], Measured]] = {
        name: partial(in_fresh_python, function, times=times) for name, function in functions.items()
    }
    measured = in_turn(variants, stage.rounds, tries=1)
    what = f"largest template, {len(workflows.body()) // 1000} KB"
    yield Row("", f"{what}: load with a catalogue / json.loads", ratios(measured, "converted", "base"), 20)
    yield Row("", f"{what}: validate / json.loads", ratios(measured, "validated", "base"), 3)
    yield Row("", f"{what}: to_editor / json.loads", ratios(measured, "saved", "base"))
    yield Row("", f"{what}: to_python / json.loads", ratios(measured, "written", "base"))


def of_pending(stage: Stage) -> Iterator[Row]:
    """Many jobs waiting on one client."""
    many, few = stage.size(1000, 20), stage.size(100, 5)
    variants: dict[str, Callable[[], Measured]] = {
        "many": partial(in_fresh_python, pending.on_real_server, url=stage.comfyui.url, jobs=many),
        "few": partial(in_fresh_python, pending.on_real_server, url=stage.comfyui.url, jobs=few),
    }
    measured = in_turn(variants, stage.rounds, tries=2)
    for key in ("submit", "run"):
        what = f"{key} per job with {many} pending / with {few}"
        yield Row("14", what, ratios(measured, "many", "few", key), 1.25)
    kept = [in_fresh_python(pending.memory, url=stage.scripted_url, jobs=many) / 1000 for _ in range(stage.rounds)]
    yield Row("14", "memory per pending job beside its prompt", kept, 2, "KB")
    yield Row("14", f"client threads with {many} pending", values(measured, "many", "threads"), 2, "threads")


# --- 13 and 15 ----------------------------------------------------------------------------------------------


def of_imports(stage: Stage) -> Iterator[Row]:
    """What importing costs, beyond a bare interpreter."""
    statements = {
        "bare": "pass",
        "requests": "import requests",
        "package": "import comfyclient",
        "client": "from comfyclient import Client",
    }
    variants = {name: partial(imports.statement, code) for name, code in statements.items()}
    measured = [
        {name: {SECONDS: result[SECONDS] - one["bare"][SECONDS]} for name, result in one.items()}
        for one in in_turn(variants, stage.rounds, tries=stage.size(7, 1))
    ]
    yield Row("13", "import comfyclient / import requests", ratios(measured, "package", "requests"), 0.6)
    yield Row("", "from comfyclient import Client / import requests", ratios(measured, "client", "requests"))
    heavy = imports.heavy_modules(statements["client"])
    yield Row("13", "PIL, tqdm or numpy loaded with it", [len(heavy)], 0, "packages", " ".join(heavy))


def of_questions(stage: Stage) -> Iterator[Row]:
    """What is asked over HTTP while somebody waits."""
    url = stage.scripted_url
    seconds = stage.size(3, 1)
    variants: dict[str, Callable[[], Measured]] = {
        "flow": partial(questions.while_events_flow, url, seconds),
        "idle": partial(questions.without_jobs, url, seconds),
        "silent": partial(questions.while_socket_is_silent, url, 5, seconds),
    }
    measured = in_turn(variants, stage.rounds, tries=1)
    yield Row("15", "HTTP requests while events flow", values(measured, "flow", "requests"), 0, "requests")
    yield Row("15", "HTTP requests of a client without jobs", values(measured, "idle", "requests"), 0, "requests")
    least = min(values(measured, "silent", "least"))
    note = f"each of 5 jobs was asked about at least {least} times in {seconds} s"
    most = values(measured, "silent", "per_interval")
    yield Row("15", "silent socket: questions per job and interval", most, 1, "requests", note)
    yield Row("15", "silent socket: requests for the whole queue", values(measured, "silent", "queue"), 0, "requests")


# --- the embedded server --------------------------------------------------------------------------------------


def of_the_embedded_server(stage: Stage) -> Iterator[Row]:
    """What it costs a user's test."""
    variants: dict[str, Callable[[], Measured]] = {
        "first": partial(in_fresh_python, embedded.until_it_answers),
        "another": embedded.with_its_end,
    }
    measured = in_turn(variants, stage.rounds, tries=stage.size(3, 1))
    note = "the first in its process, without its imports"
    yield Row("", "EmbeddedServer, until it answers", values(measured, "first", SECONDS), 0.3, "s", note)
    yield Row("", "EmbeddedServer, another one started and stopped", values(measured, "another", SECONDS), None, "s")


BENCHMARKS: dict[str, Callable[[Stage], Iterable[Row]]] = {
    "events": from_socket_to_code,
    "previews": of_previews,
    "latency": of_latency,
    "runs": of_runs,
    "exchanges": of_exchanges,
    "downloads": of_downloads,
    "uploads": of_uploads,
    "memory": of_memory,
    "catalogue": of_catalogue,
    "workflows": of_workflows,
    "imports": of_imports,
    "pending": of_pending,
    "questions": of_questions,
    "embedded": of_the_embedded_server,
}
