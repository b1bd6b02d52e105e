"""Whatever moment a signal comes at, it leaves no lock behind."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import pytest

from comfyclient._condition import Condition

STRIKES = 60


class StruckError(Exception):
    """What the signal raises, as Ctrl-C would."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_leaves_it_unlocked() -> None:
    lock = threading.RLock()
    condition = Condition(lock)
    ready = threading.Semaphore(0)
    main = threading.get_ident()

    def raise_it(*_: Any) -> None:
        raise StruckError

    def strike() -> None:
        for _ in range(STRIKES):
            ready.acquire()
            signal.pthread_kill(main, signal.SIGUSR1)

    free: list[bool] = []

    def look() -> None:
        free.append(lock.acquire(blocking=False))
        if free[-1]:
            lock.release()

    def use_until_struck() -> None:
        ready.release()
        while True:
            with condition:
                pass

    before = signal.signal(signal.SIGUSR1, raise_it)
    striker = threading.Thread(target=strike)
    striker.start()
    try:
        for _ in range(STRIKES):
            with pytest.raises(StruckError):
                use_until_struck()
            other = threading.Thread(target=look)
            other.start()
            other.join()
            assert free[-1]
    finally:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        ready.release(STRIKES)
        striker.join()
        signal.signal(signal.SIGUSR1, before)


def test_it_waits_and_notifies() -> None:
    condition = Condition()
    told: list[str] = []

    def tell() -> None:
        with condition:
            told.append("now")
            condition.notify_all()

    with condition:
        teller = threading.Thread(target=tell)
        teller.start()
        assert condition.wait_for(lambda: told, 10)
    teller.join()
