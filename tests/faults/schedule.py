"""Many jobs under random faults, and the books about them."""

from __future__ import annotations

import functools
import random
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import define, field

from comfyclient import (
    Client,
    ComfyError,
    JobFailed,
    JobInterrupted,
    JobLost,
    Reconnect,
    ServerError,
    ServerUnreachable,
)
from tests.faults.cutter import ON_THE_LINE, Cutter
from tests.faults.places import SECONDS, Embedded, Place
from tests.faults.stage import GARBAGE, Reversed, loses
from tests.workflows import failing, fresh, node, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Job
    from tests.faults.lines import Posted
    from tests.workflows import Graph

CLIENTS, THREADS = 2, 8
ENDS = ("done", "failed", "interrupted", "lost", "unknown")
"""How an accepted prompt ends, as its caller sees it: lost is what the server said not to know, unknown what it could
not be asked about.
"""


@define
class Entry:
    """One submission.

    Attributes:
        word: What its prompt puts out, and no other.
        end: One of ``ENDS``, or "refused" if the server never had it.
        error: What was said.
    """

    word: str
    end: str
    error: str = ""


@define
class Ledger:
    """What became of all submissions.

    Attributes:
        entries: One for each.
        accepted: The words of the prompts that the server took.
        doubtful: Those that were sent to a server that broke off.
        forgotten: Those that it was made to forget, or to stop, by others.
        cancelled: Those that their own callers cancelled.
        ran: How often each word was put out, where that is known.
        faults: What was done.
    """

    entries: list[Entry] = field(factory=list)
    accepted: list[str] = field(factory=list)
    doubtful: set[str] = field(factory=set)
    forgotten: set[str] = field(factory=set)
    cancelled: set[str] = field(factory=set)
    ran: Counter[str] = field(factory=Counter)
    faults: Counter[str] = field(factory=Counter)

    def check(self) -> None:
        """Whether the books balance."""
        accepted, entries = set(self.accepted), {entry.word: entry for entry in self.entries}
        assert len(accepted) == len(self.accepted), "a workflow was queued twice"
        assert len(entries) == len(self.entries)
        for entry in self.entries:
            if entry.end == "refused":
                assert entry.word not in accepted, entry
            elif entry.end == "lost":
                # Whatever the server had and was not made to forget is found.
                assert entry.word not in accepted or entry.word in self.forgotten, entry
            else:
                if entry.end == "interrupted":
                    assert entry.word in self.cancelled | self.forgotten, "a wrong victim"
                assert entry.word in accepted | self.doubtful or entry.end == "unknown", entry
        assert all(count == 1 for count in self.ran.values()), "a workflow ran twice"
        if self.ran:
            assert {entry.word for entry in self.entries if entry.end == "done"} <= set(self.ran)

    def __str__(self) -> str:
        ends = Counter(entry.end for entry in self.entries)
        told = ", ".join(f"{ends[end]} {end}" for end in (*ENDS, "refused"))
        return f"{len(self.entries)} submitted, {len(self.accepted)} accepted: {told}; {self.faults.total()} faults"


def run(place: Place, jobs: int, seed: int) -> Ledger:
    """Run so many jobs in several threads, while faults strike at random."""
    ledger, dice = Ledger(), random.Random(seed)  # noqa: S311 - it shall be repeatable
    counter = iter(range(jobs))
    lock = threading.Lock()  # guards counter

    def next_seed() -> float | None:
        with lock:
            return dice.random() if next(counter, None) is not None else None

    with ExitStack() as stack:
        cutter = stack.enter_context(Cutter(place.url))
        clients = [stack.enter_context(_client(cutter.url)) for _ in range(CLIENTS)]
        other = stack.enter_context(Client(place.url, realtime=False, retry=None))
        pool = stack.enter_context(ThreadPoolExecutor(THREADS))
        workers = [pool.submit(_work, clients[at % CLIENTS], next_seed, ledger) for at in range(THREADS)]
        chaos = _Chaos(place, cutter, other, random.Random(seed), ledger)  # noqa: S311 - as above
        over = threading.Event()
        thread = threading.Thread(target=chaos.reign, args=(over,), daemon=True)
        thread.start()
        try:
            for worker in workers:
                worker.result()
        finally:
            over.set()
            thread.join()
        # What was accepted and never asked for has to end as well before it is counted.
        while other.queue.info().exec_info.queue_remaining:
            over.wait(0.01)
        ledger.accepted = [_word(posted) for posted in cutter.posted if posted.status == HTTPStatus.OK]
        ledger.doubtful = {_word(posted) for posted in cutter.posted if not posted.status}
    if isinstance(place, Embedded):
        ledger.ran = place.ran
    return ledger


def _client(url: str) -> Client:
    return Client(
        url,
        connect_timeout=2,
        read_timeout=2,
        poll_interval=0.2,
        give_up_after=SECONDS,
        reconnect=Reconnect(first=0.01, longest=0.1, ping_interval=0.5, ping_timeout=0.5, deaf_after=0.5),
    )


def _work(client: Client, next_seed: Callable[[], float | None], ledger: Ledger) -> None:
    """Submit a few at a time, and wait for them."""
    over = False
    while not over:
        jobs: list[tuple[str, Job]] = []
        for _ in range(4):
            seed = next_seed()
            over = seed is None
            if seed is None:
                break
            word = uuid.uuid4().hex
            try:
                job = client.submit(_workflow(word, seed), extra_data={"word": word})
            except ComfyError as error:
                ledger.entries.append(Entry(word, _end_of_submission(error), f"{type(error).__name__}: {error}"))
                with suppress(ComfyError):
                    client.connect()  # others wait a moment, too
            else:
                jobs.append((word, job))
                if seed % 0.1 < 0.01:  # one in ten
                    ledger.cancelled.add(word)
                    with suppress(ComfyError):
                        job.cancel(SECONDS)
        ledger.entries += [_end(word, job) for word, job in jobs]


def _end_of_submission(error: ComfyError) -> str:
    if "is not known" in str(error):
        return "unknown"
    if isinstance(error, ServerUnreachable):
        return "lost" if error.maybe_sent else "refused"
    if isinstance(error, ServerError):
        return "lost" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused"
    return "lost"


def _word(posted: Posted) -> str:
    return str(posted.body["extra_data"]["word"])


def _workflow(word: str, seed: float) -> Graph:
    kind = int(seed * 10)
    if kind == 0:
        return failing(word)
    if kind == 1:
        return {"1": node("TestSleep", seconds=0.02, value=word, seed=fresh()), "2": node("TestText", value=["1", 0])}
    return text(word)


def _end(word: str, job: Job) -> Entry:
    error = job.exception(4 * SECONDS)
    if error is None:
        assert job.result().texts == (word,)
        return Entry(word, "done")
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, JobFailed):
        assert word in error.exception_message
        return Entry(word, "failed", said)
    if isinstance(error, JobInterrupted):
        return Entry(word, "interrupted", said)
    return Entry(word, "lost" if isinstance(error, JobLost) else "unknown", said)


class _Chaos:
    """Does what it can to keep jobs from their ends, for moments."""

    def __init__(self, place: Place, cutter: Cutter, other: Client, dice: random.Random, ledger: Ledger) -> None:
        self._place = place
        self._cutter = cutter
        self._other = other
        self._dice = dice
        self._ledger = ledger
        self._deeds: dict[str, Callable[[], object]] = {
            **{fault: functools.partial(self._strike, fault) for fault in ON_THE_LINE},
            "garbage frame": lambda: cutter.say(GARBAGE),
            "event twice": lambda: self._alter(lambda told: [told, told]),
            "events reordered": lambda: self._alter(Reversed()),
            "event missing": lambda: self._alter(loses("executed", "execution_start", "status")),
            "deaf socket": cutter.deafen,
            "deleted by others": self._delete,
            "history cleared": self._clear,
        }
        if isinstance(place, Embedded):
            self._deeds["server restarted"] = lambda: self._restart(place)

    def reign(self, over: threading.Event) -> None:
        """Go on until it is over."""
        while not over.wait(self._dice.uniform(0.05, 0.2)):
            deed = self._dice.choice(list(self._deeds))
            with suppress(ComfyError):  # our own questions meet a server that restarts
                self._deeds[deed]()
            self._ledger.faults[deed] += 1
            over.wait(self._dice.uniform(0.0, 0.1))
            self._cutter.heal()
            self._cutter.alter = None
        self._cutter.heal()

    def _strike(self, fault: str) -> None:
        self._cutter.strike(fault, stays=self._dice.random() < 0.5, more=self._dice.randint(0, 3))

    def _alter(self, alter: Any) -> None:
        self._cutter.alter = alter

    def _restart(self, place: Embedded) -> None:
        place.restart()
        self._cutter.hang_up()
        self._ledger.forgotten |= {_word(posted) for posted in self._cutter.posted}

    def _some(self) -> str:
        """One of the last prompts."""
        posted = self._cutter.posted[-20:]
        if not posted:
            return ""
        one = self._dice.choice(posted)
        self._ledger.forgotten.add(_word(one))
        return str(one.body["prompt_id"])

    def _delete(self) -> None:
        prompt_id = self._some()
        self._other.queue.delete(prompt_id)
        self._other.queue.interrupt(prompt_id)

    def _clear(self) -> None:
        self._other.history.delete(self._some())
