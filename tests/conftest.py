"""What every test can ask for, and what every test is checked for when it ends."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import hypothesis
import pytest
import requests

from tests.comfyui.provision import find
from tests.comfyui.server import RealServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from comfyclient import Client

# The machine may be busy with other tests; a slow example is no wrong one.
hypothesis.settings.register_profile("comfyclient", deadline=None)
hypothesis.settings.load_profile("comfyclient")

EXTERNAL_URL = os.environ.get("COMFYUI_URL", "").rstrip("/")
PATIENCE = 10.0  # seconds that a thread, a socket or the server's queue may take to come to an end
MOST_PROCESSES = 4  # each has a ComfyUI, of one gigabyte
SOCKETS = Path("/proc/self/fd")
NETWORK = Path("/proc/self/net")
FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class ComfyUI:
    """The server that this session talks to.

    Attributes:
        url: Where it answers, without a slash at the end.
        server: The process, if the session started it.
    """

    url: str
    server: RealServer | None

    @property
    def own(self) -> bool:
        """Whether it is ours alone, so that a test may clear its queue or count its prompts."""
        return self.server is not None


class StartComfyUI(Protocol):
    """Starts one more server, for a test that needs other options or wants to break it."""

    def __call__(self, *arguments: str) -> RealServer: ...


# --- the server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """The real ComfyUI of this session: the one at COMFYUI_URL, or one that is started and ended here."""
    if EXTERNAL_URL:
        requests.get(f"{EXTERNAL_URL}/system_stats", timeout=30).raise_for_status()
        yield ComfyUI(EXTERNAL_URL, None)
        return
    with _new_server(tmp_path_factory.mktemp("comfyui")) as server:
        yield ComfyUI(server.url, server)


@pytest.fixture
def comfyui_url(comfyui: ComfyUI) -> Iterator[str]:
    """Where the server answers. Ours is left idle, so that a test that failed does not drag others down."""
    yield comfyui.url
    if comfyui.own:
        _make_idle(comfyui.url)


@pytest.fixture
def client(comfyui_url: str) -> Iterator[Client]:
    """A client of that server, closed afterwards."""
    from comfyclient import Client  # noqa: PLC0415 - tests of the provisioning do without the package

    with Client(comfyui_url) as client:
        yield client


@pytest.fixture
def start_comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartComfyUI]:
    """Starts more servers (some 10 s each), which end with the test."""
    if EXTERNAL_URL:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    with ExitStack() as servers:
        yield lambda *arguments: servers.enter_context(_new_server(tmp_path_factory.mktemp("comfyui"), *arguments))


def _new_server(base_directory: Path, *arguments: str) -> RealServer:
    installation = find()
    if installation is None:
        pytest.fail("There is no ComfyUI in the cache: run `make comfyui`, or set COMFYUI_URL.", pytrace=False)
    return RealServer(installation, *arguments, base_directory=base_directory)


def _make_idle(url: str) -> None:
    """Clear the queue, and interrupt whatever runs until nothing does."""

    def idle() -> bool:
        queue = requests.get(f"{url}/queue", timeout=30).json()
        if not queue["queue_running"] and not queue["queue_pending"]:
            return True
        requests.post(f"{url}/queue", json={"clear": True}, timeout=30).raise_for_status()
        requests.post(f"{url}/interrupt", timeout=30).raise_for_status()
        return False

    if not soon(idle, 60):
        pytest.fail("the test left a prompt behind that cannot be interrupted", pytrace=False)


def pytest_sessionstart() -> None:
    """Let Ctrl-C work in the programs that tests start, where a shell that runs us in the background took it away."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors, since half of a run is waiting; none but ours where all share a server."""
    return 0 if EXTERNAL_URL else min((os.cpu_count() or 1) + 1, MOST_PROCESSES)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order them for several processes, and skip what needs our nodes where somebody else's server lacks them."""
    if hasattr(config, "workerinput"):
        items.sort(key=_is_quick)  # so that none of the processes has a long file left when the others are done
    needing = [item for item in items if item.get_closest_marker("needs_test_nodes")]
    if not EXTERNAL_URL or not needing:
        return
    try:
        known = requests.get(f"{EXTERNAL_URL}/object_info/TestGate", timeout=30).json()
    except (requests.RequestException, ValueError):
        return  # every test that wants the server will say so
    if not known:
        for item in needing:
            item.add_marker(pytest.mark.skip(reason="needs the comfyclient test nodes"))


def _is_quick(item: pytest.Item) -> bool:
    return "unit" in item.path.parts


def pytest_collection_finish() -> None:
    """Spare the collections after every test what the modules of all tests consist of, which is most of the time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what the server said in its last moments."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
        comfyui = getattr(item, "funcargs", {}).get("comfyui")
        if isinstance(comfyui, ComfyUI) and comfyui.server:
            report.sections.append(("ComfyUI log", comfyui.server.log_tail()))
    return report


# --- nothing outlives a test --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_outlives_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """No thread and no socket of ours is left behind.

    Files are looked after by Python itself: what is collected unclosed warns, and warnings are errors.
    Collecting costs 20 ms, too much for the many tests in tests/unit, which open nothing. The traceback of a
    test that failed holds whatever the test held.
    """
    opens_sockets = not _is_quick(request.node)
    before = open_sockets() if opens_sockets else set()
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("comfyclient-"):
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{thread.name} outlived the test"
    if opens_sockets and not request.node.stash.get(FAILED, False):
        gc.collect()
        assert soon(lambda: open_sockets() <= before), f"sockets outlived it: {_described(open_sockets() - before)}"


def open_sockets() -> set[str]:
    """The sockets that this process has open, as the kernel names them; none where it does not tell."""
    found = set()
    for descriptor in SOCKETS.glob("*"):
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # closed since, or that of the listing itself
        if target.startswith("socket:"):
            found.add(target)
    return found


def _described(sockets: set[str]) -> list[str]:
    """What the kernel's tables say of sockets: their addresses, and the state they are in."""
    numbers = {name[len("socket:[") : -1] for name in sockets}
    tables = [NETWORK / name for name in ("tcp", "tcp6", "udp", "unix")]
    lines = [f"{table.name} {line}" for table in tables if table.exists() for line in table.read_text().splitlines()]
    return sorted(sockets) + [line for line in lines if numbers & {*line.split()}]


def soon(condition: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + patience
    pause = threading.Event()
    while not (true := condition()) and time.monotonic() < deadline:
        pause.wait(0.01)
    return true
