"""One bar for all variations of a map."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.conftest import soon
from tests.progress.workflows import STEPS, WAITING

if TYPE_CHECKING:
    from comfyclient import Client, SweepProgress
    from tests.testing.nodes import Gate

WRONG = {"9.value": 1}
"""A variation of a node that is not there: it ends at once."""


class Said(list[tuple[str, bool, float]]):
    """What was drawn: headline, whether more may come, fraction."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def __call__(self, progress: SweepProgress) -> None:
        """Note it."""
        self.threads.add(threading.get_ident())
        self.append((progress.headline, progress.watching, progress.fraction))


@pytest.mark.parametrize("in_order", [True, False])
def test_all_of_them_are_counted(client: Client, *, in_order: bool) -> None:
    said = Said()
    variations = [{"1.steps": steps} for steps in (2, 3, 4)] + [WRONG]
    seen = [variation.index for variation in client.map(STEPS, variations, progress=said, in_order=in_order)]
    assert sorted(seen) == [0, 1, 2, 3]
    assert said[0] == ("0 of 4 done", True, 0.0)
    headline, watching, fraction = said[-1]
    assert headline.startswith("4 done in ")
    assert headline.endswith(", 1 failed")
    assert (watching, fraction) == (False, 1)
    assert said.threads == {threading.get_ident()}
    assert [each[1] for each in said[:-1]] == [True] * (len(said) - 1)


def test_of_a_generator_the_number_is_not_known(client: Client) -> None:
    said = Said()
    list(client.map(STEPS, ({"1.steps": steps} for steps in (2, 3)), progress=said))
    assert said[0][0] == "0 done"
    assert said[-1][0].startswith("2 done in ")


def test_a_loop_that_is_left_says_that_the_rest_is_cancelled(client: Client) -> None:
    said = Said()
    variations = client.map(WAITING, [WRONG, {}, {}], progress=said)
    assert next(variations).error is not None
    variations.close()  # type: ignore[attr-defined]  # a generator
    assert said[-1][:2] == ("1 of 3 done, 1 failed, the rest is cancelled", False)
    assert soon(lambda: client.queue.info().exec_info.queue_remaining == 0)


def test_a_loop_that_another_thread_ends_draws_nothing_there(client: Client) -> None:
    said = Said()
    variations = client.map(WAITING, [WRONG, {}], progress=said)
    drawing = threading.Thread(target=next, args=(variations,))
    drawing.start()
    drawing.join(30)
    variations.close()  # type: ignore[attr-defined]  # as the garbage collector does
    assert said.threads == {drawing.ident}
    assert all(watching for _, watching, _ in said)


def test_while_nothing_ends_the_clock_goes_on(client: Client, gate: Gate) -> None:
    quiet: list[float] = []

    def draw(progress: SweepProgress) -> None:
        quiet.append(progress.elapsed)
        if progress.elapsed > 1:
            gate.released.set()

    assert [variation.result()["2"].texts for variation in client.map(WAITING, [{}], progress=draw)] == [("0",)]
    assert max(quiet) > 1


def test_progress_is_checked_before_anything_is_submitted(client: Client) -> None:
    with pytest.raises(TypeError, match="progress is True, False or a function that draws"):
        client.map(STEPS, [{}], progress="yes")  # type: ignore[arg-type]
