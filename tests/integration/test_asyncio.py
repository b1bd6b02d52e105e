"""A synchronous client beside and inside of an event loop."""

from __future__ import annotations

import asyncio

import pytest

from comfyclient import Client, JobFailed, as_completed
from tests.workflows import PATIENCE, Gate, failing, filled, fresh_color, pixels, plain, text


def test_a_client_works_inside_of_a_running_loop_as_in_a_notebook(comfyui_url: str) -> None:
    async def cell() -> bytes:
        with Client(comfyui_url) as client:
            seen: list[str] = []
            result = client.run(plain(color), timeout=PATIENCE, on_event=lambda event: seen.append(event.type))
            jobs = [client.submit(plain(fresh_color())) for _ in range(3)]
            assert {job.status for job in as_completed(jobs, PATIENCE)} == {"completed"}
            assert "executed" in seen
            assert [event.type for event in jobs[0].events()][-1] == "executing"
            return pixels(result.images[0])

    color = fresh_color()
    assert asyncio.run(cell()) == filled(color)


@pytest.mark.needs_test_nodes
def test_a_job_can_be_awaited(comfyui_url: str, client: Client) -> None:
    async def main() -> None:
        gate = Gate(comfyui_url)
        slow, bad, quick = (client.submit(graph) for graph in (gate.workflow(), failing("awaited"), text("quick")))
        waiting = asyncio.gather(*(asyncio.wrap_future(job.future()) for job in (slow, quick)))
        await asyncio.to_thread(gate.wait)
        assert not waiting.done()
        gate.open()
        results = await asyncio.wait_for(waiting, PATIENCE)
        assert [result.texts for result in results] == [("through",), ("quick",)]
        with pytest.raises(JobFailed, match="awaited"):
            await asyncio.wait_for(asyncio.wrap_future(bad.future()), PATIENCE)

    asyncio.run(main())


@pytest.mark.needs_test_nodes
def test_giving_up_an_await_leaves_the_job_alone(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(gate.workflow())

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(job.future()), 0.05)

    asyncio.run(main())
    assert not job.done()
    gate.open()
    assert job.result(PATIENCE).texts == ("through",)
    assert job.future().result(PATIENCE).texts == ("through",)


def test_run_in_a_thread_of_the_loop(client: Client) -> None:
    async def main() -> list[bytes]:
        results = await asyncio.gather(
            *(asyncio.to_thread(client.run, plain(color), timeout=PATIENCE) for color in colors)
        )
        return [pixels(result.images[0]) for result in results]

    colors = [fresh_color() for _ in range(5)]
    assert asyncio.run(main()) == [filled(color) for color in colors]
