"""The websocket goes, or the server does; the jobs still end as they should."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from comfyclient import Client, JobInterrupted, JobLost, JobTimeout, Reconnect, ServerUnreachable, as_completed, wait
from comfyclient.events import Connected, Disconnected, Event, Reconnected
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.relay import Relay
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, drop, fresh, image, node, pixels, text

if TYPE_CHECKING:
    from comfyclient import EventQueue
    from tests.conftest import StartComfyUI
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes

E = TypeVar("E", bound=Event)
QUICK = Reconnect(first=0.01, longest=0.1)
FOREVER = 3600.0  # longer than any test may take


def sequence(first: Gate, second: Gate) -> Graph:
    """An output between two gates, and one behind both."""
    return {
        "1": first.node(value="early"),
        "2": node("TestText", value=["1", 0]),
        "3": second.node(value=["2", 0]),
        "4": node("TestText", value=["3", 0]),
    }


def next_of(events: EventQueue[E]) -> E:
    return events.get(timeout=PATIENCE)


# --- the websocket ------------------------------------------------------------------------------------------


def test_a_job_survives_the_loss_of_the_websocket(comfyui_url: str) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    with Client(comfyui_url, reconnect=QUICK) as client:
        connection = client.listen("disconnected", "reconnected")
        job = client.submit(sequence(first, second))
        waiting = client.submit(text("waited"))
        first.wait()
        drop(comfyui_url, client.config.client_id)
        assert isinstance(next_of(connection), Disconnected)
        first.open()  # most likely nobody hears of the first output
        assert isinstance(next_of(connection), Reconnected)
        second.open()
        assert job.result(PATIENCE).texts == ("early", "early")
        assert job.progress == 1.0
        assert waiting.result(PATIENCE).texts == ("waited",)
        assert connection.empty()


def test_a_job_that_ends_while_the_websocket_is_away(comfyui_url: str) -> None:
    gate, seed = Gate(comfyui_url), fresh()
    with Relay(comfyui_url) as relay, Client(relay.url, reconnect=QUICK) as client:
        connection = client.listen(Disconnected, Reconnected)
        jobs = [client.submit(gate.workflow()), *(client.submit(image(seed + i)) for i in range(5))]
        gate.wait()
        relay.admits_websockets = False
        drop(comfyui_url, client.config.client_id)
        assert isinstance(next_of(connection), Disconnected)
        gate.open()
        assert jobs[0].result(PATIENCE).texts == ("through",)
        images = [pixels(job.result(PATIENCE).images[0]) for job in jobs[1:]]
        assert images == [painted(seed + i, 16, 16) for i in range(5)]
        assert connection.empty()
        relay.admits_websockets = True
        assert isinstance(next_of(connection), Reconnected)
        assert "executed" in {event.type for event in client.submit(text("live again")).events()}


def test_it_is_lost_again_and_again(comfyui_url: str) -> None:
    gates = [Gate(comfyui_url) for _ in range(6)]
    with Client(comfyui_url, reconnect=QUICK) as client:
        connection = client.listen(Reconnected)
        jobs = [client.submit(gate.workflow(i)) for i, gate in enumerate(gates)]
        for gate in gates:
            gate.wait()
            drop(comfyui_url, client.config.client_id)
            gate.open()
            assert isinstance(next_of(connection), Reconnected)
        assert {job.status for job in as_completed(jobs, PATIENCE)} == {"completed"}
        assert [job.result().texts for job in jobs] == [(str(i),) for i in range(6)]


@pytest.mark.parametrize("ends", ["cancelled", "failed"])
def test_without_a_websocket_other_ends_are_found_out_too(comfyui_url: str, ends: str) -> None:
    gate = Gate(comfyui_url)
    graph = {"1": gate.node(), "2": node("TestRaise", exception="ValueError", message="", value=["1", 0])}
    with Relay(comfyui_url) as relay, Client(relay.url, reconnect=QUICK) as client:
        connection = client.listen(Disconnected)
        job = client.submit(graph)
        gate.wait()
        relay.admits_websockets = False
        drop(comfyui_url, client.config.client_id)
        next_of(connection)
        if ends == "cancelled":
            assert job.cancel(PATIENCE)
        else:
            gate.open()
            assert job.exception(PATIENCE) is not None
        assert job.status == ends


def test_a_job_submitted_without_a_websocket_is_complete_when_one_comes_in_the_middle(comfyui_url: str) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    with Relay(comfyui_url) as relay, Client(relay.url, reconnect=QUICK) as client:
        relay.admits_websockets = False
        job = client.submit(sequence(first, second))
        first.open()
        second.wait()  # the first output is there, and nobody has heard of it
        relay.admits_websockets = True
        with client.listen(Connected) as connection:
            next_of(connection)
        second.open()
        assert job.result(PATIENCE).texts == ("early", "early")


def test_without_any_websocket_everything_works(comfyui_url: str) -> None:
    """A proxy may not let it through."""
    with Relay(comfyui_url) as relay, Client(relay.url) as client:
        relay.admits_websockets = False
        gate, seed = Gate(comfyui_url), fresh()
        assert pixels(client.run(image(seed), timeout=PATIENCE).images[0]) == painted(seed, 16, 16)
        running, waiting = client.submit(gate.workflow()), client.submit(text("never"))
        gate.wait()
        assert waiting.cancel(PATIENCE)
        assert running.cancel(PATIENCE)
        assert relay.websockets >= 1
        with pytest.raises(ServerUnreachable, match="websocket"):
            client.connect()


def test_an_old_failure_to_ask_does_not_count_against_a_new_job(comfyui_url: str) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    with (
        Relay(comfyui_url) as relay,
        Client(relay.url, poll_interval=0.3, give_up_after=1, retry=None) as client,
    ):
        job = client.submit(first.workflow())
        first.wait()
        relay.admits_requests = False
        assert isinstance(job.exception(PATIENCE), ServerUnreachable)  # so the first failure is a second old
        relay.admits_requests = True
        first.open()
        job = client.submit(second.workflow())
        second.wait()
        relay.refuses = 1
        assert soon(lambda: relay.refuses == 0, PATIENCE)
        asked = relay.asked
        assert soon(lambda: relay.asked > asked, PATIENCE)  # so the job was not given up
        second.open()
        assert job.result(PATIENCE).texts == ("through",)


# --- the server ---------------------------------------------------------------------------------------------


def test_a_server_that_is_killed_and_comes_back(start_comfyui: StartComfyUI) -> None:
    server = start_comfyui()
    with ExitStack() as clients:
        patient, polling, impatient = (
            clients.enter_context(Client(server.url, **options))
            for options in (
                {"give_up_after": FOREVER, "reconnect": Reconnect(longest=1)},
                {"give_up_after": FOREVER, "realtime": False},
                {"give_up_after": 1.0, "reconnect": Reconnect(longest=1)},
            )
        )
        connection = patient.listen("disconnected", "reconnected")
        gate = Gate(server.url)
        running = impatient.submit(gate.workflow())
        gate.wait()
        waiting = [client.submit(text("never")) for client in (impatient, patient, polling)]
        server.kill()
        for job in (running, waiting[0]):
            with pytest.raises(ServerUnreachable, match=server.url):
                job.result(PATIENCE)
        assert not waiting[1].done()
        assert not waiting[2].done()
        assert isinstance(next_of(connection), Disconnected)
        with pytest.raises(ServerUnreachable, match=server.url):
            patient.run(text("nobody there"))
        server.start()
        for job in waiting[1:]:
            with pytest.raises(JobLost, match="restarted"):
                job.result(PATIENCE)
        assert isinstance(next_of(connection), Reconnected)
        for client in (patient, polling, impatient):
            assert client.run(text("usable"), timeout=PATIENCE).texts == ("usable",)
        assert "executed" in {event.type for event in impatient.submit(text("live")).events()}


@BOTH_WAYS
def test_a_server_that_stands_still_makes_nobody_wait_longer_than_he_wants(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    options: dict[str, Any] = {"realtime": realtime, "poll_interval": 0.1, "read_timeout": FOREVER}
    with Relay(comfyui_url) as relay, Client(relay.url, **options) as client:
        jobs = [client.submit(gate.workflow()), client.submit(text("waited"))]
        gate.wait()
        relay.flows.clear()
        for job in jobs:
            with pytest.raises(JobTimeout):
                job.result(0.3)
        assert wait(jobs, 0.3).done == set()
        relay.flows.set()
        gate.open()
        assert [job.result(PATIENCE).texts for job in jobs] == [("through",), ("waited",)]


@BOTH_WAYS
def test_cancelling_beside_a_server_that_stands_still_happens_later(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    with Relay(comfyui_url) as relay, Client(relay.url, realtime=realtime, read_timeout=FOREVER) as client:
        job = client.submit(gate.workflow())
        gate.wait()
        relay.flows.clear()
        with pytest.raises(JobTimeout, match="has not stopped"):
            job.cancel(0.3)
        relay.flows.set()
        assert isinstance(job.exception(PATIENCE), JobInterrupted)
