"""Many jobs under random faults: every accepted prompt ends once, and as what it was."""

from __future__ import annotations

import itertools
import random
import threading
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from tests.faults.__main__ import main
from tests.faults.places import SECONDS, Embedded, Place, Real
from tests.faults.schedule import Entry, Ledger, run
from tests.workflows import fresh, node, text

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20261126
# aiohttp leaves this to the collector when a client breaks off in the middle of an upload.
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning"),
]


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the pauses between looks for a lost prompt nothing is to be learnt here."""
    monkeypatch.setattr("comfyclient._tracking.submission._LOOKS", (0.0, 0.05, 0.1, 0.2, 0.4))


@pytest.fixture
def embedded() -> Iterator[Embedded]:
    place = Embedded()
    with place.server:
        yield place


def balance(place: Place, jobs: int) -> None:
    ledger = run(place, jobs, SEED)
    print(f"seed {SEED}: {ledger}")  # noqa: T201 - a test that fails shows it
    assert len(ledger.entries) == jobs
    ledger.check()
    ends = {entry.end for entry in ledger.entries}
    assert {"done", "failed"} <= ends
    assert ledger.faults.total() > 5


def test_2000_jobs_on_the_embedded_server(embedded: Embedded) -> None:
    balance(embedded, 2000)


@pytest.mark.needs_test_nodes
def test_500_jobs_on_a_real_server(comfyui_url: str) -> None:
    balance(Real(comfyui_url), 500)


@pytest.mark.parametrize(
    ("entries", "accepted"),
    [
        pytest.param([Entry("a", "done")], [], id="done, and never accepted"),
        pytest.param([Entry("a", "refused")], ["a"], id="refused, and accepted"),
        pytest.param([Entry("a", "lost")], ["a"], id="lost, and not forgotten"),
        pytest.param([Entry("a", "done")], ["a", "a"], id="accepted twice"),
        pytest.param([Entry("a", "done"), Entry("a", "failed")], ["a"], id="ended twice"),
    ],
)
def test_books_that_do_not_balance(entries: list[Entry], accepted: list[str]) -> None:
    with pytest.raises(AssertionError):
        Ledger(entries, accepted).check()


def test_the_soak_counts_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    main(["soak", "--minutes", "0", "--seed", "3"])
    told = capsys.readouterr().out
    assert told.count("300 submitted") == 3
    assert "900 submitted: " in told


@pytest.mark.parametrize("where", ["embedded", pytest.param("real", marks=pytest.mark.needs_test_nodes)])
def test_100_cancels_find_no_wrong_victim(where: str, request: pytest.FixtureRequest) -> None:
    place = Real(request.getfixturevalue("comfyui_url")) if where == "real" else request.getfixturevalue("embedded")
    dice, over, beside = random.Random(SEED), threading.Event(), []  # noqa: S311 - it shall be repeatable

    def work(other: Client) -> None:
        for number in itertools.count():
            if over.is_set():
                return
            job = other.submit(text(number))
            beside.append(job.exception(SECONDS) is None and job.result().texts == (str(number),))

    with Client(place.url) as client, Client(place.url) as other:
        thread = threading.Thread(target=work, args=(other,), daemon=True)
        thread.start()
        try:
            for _ in range(100):
                graph = {
                    "1": node("TestSleep", seconds=0.03, seed=fresh()),
                    "2": node("TestText", value=["1", 0], seed=fresh()),
                }
                job = client.submit(graph)
                threading.Event().wait(dice.uniform(0, 0.06))  # the random moment
                assert job.cancel(SECONDS) == job.cancelled()
                assert job.status in {"cancelled", "completed"}
        finally:
            over.set()
            thread.join(SECONDS)
    assert not thread.is_alive()
    assert all(beside)
    assert len(beside) > 10
