"""Pictures over HTTP: ``WORKFLOW=portrait.json uvicorn --factory fastapi_service:from_environment``.

    POST   /pictures              {"text": "a fox"}: 202, and where the picture will be
    GET    /pictures/{id}         how far it is
    GET    /pictures/{id}/events  the same as server-sent events, until the end
    GET    /pictures/{id}/image   the picture
    DELETE /pictures/{id}         stop it

It takes ``pip install comfyclient fastapi uvicorn``. Ids are those of ComfyUI, which keeps the jobs: a service that is
restarted knows them still.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from comfyclient import Client, ComfyError, Job, JobError, JobLost, JobTimeout, ServerUnreachable, Workflow

TICK = 0.25
"""Seconds between two looks at a job that somebody follows."""

STATUS = {ServerUnreachable: 503, JobTimeout: 504, JobError: 410, ComfyError: 502}
"""What an error is to those who ask over HTTP; the first that fits."""


class Order(BaseModel):
    """What is wanted."""

    text: str


class Picture(BaseModel):
    """How far it is."""

    id: str
    status: str
    progress: float
    error: str | None = None


class Pictures:
    """The routes. FastAPI runs them in threads, so none holds up another while it waits."""

    def __init__(self, client: Client, workflow: Workflow) -> None:
        self._client = client
        self._workflow = workflow
        self._jobs: dict[str, Job] = {}  # of this process, as long as they run: these know each step

    def order(self, wanted: Order) -> Picture:
        """Have a picture drawn."""
        workflow = self._workflow.copy()
        workflow.set({"Positive prompt.text": wanted.text, "KSampler.seed": secrets.randbelow(1 << 32)})
        job = self._client.submit(workflow)
        self._jobs[job.prompt_id] = job
        job.add_done_callback(lambda ended: self._jobs.pop(ended.prompt_id, None))
        return seen(job)

    def look(self, picture: str) -> Picture:
        """How far it is."""
        return seen(self._find(picture))

    def follow(self, picture: str) -> StreamingResponse:
        """The same, as events."""
        return StreamingResponse(events(self._find(picture)), media_type="text/event-stream")

    def image(self, picture: str) -> Response:
        """The picture itself."""
        job = self._find(picture)
        if not job.done():
            raise HTTPException(409, "it is not ready yet")
        [file, *_] = job.result().images
        return Response(file.read(), media_type=file.media_type)

    def stop(self, picture: str) -> Picture:
        """Draw it no further."""
        job = self._find(picture)
        job.cancel()
        return seen(job)

    def _find(self, picture: str) -> Job:
        try:
            return self._jobs.get(picture) or self._client.job(picture)
        except JobLost as error:
            raise HTTPException(404, "no such picture") from error


def seen(job: Job) -> Picture:
    """What there is to say of a job; asks nobody."""
    error = job.exception() if job.done() else None
    text = str(error) if error else None
    return Picture(id=job.prompt_id, status=job.status, progress=job.progress, error=text)


async def events(job: Job) -> AsyncIterator[str]:
    """One server-sent event for every change, until the end."""
    said = None
    while True:
        ended = job.done()
        if (now := seen(job)) != said:
            said = now
            yield f"data: {now.model_dump_json()}\n\n"
        if ended:
            return
        await asyncio.sleep(TICK)  # it takes no thread, however many follow


def explain(_: Request, error: Exception) -> JSONResponse:
    """Answer with what went wrong."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    return JSONResponse({"detail": str(error)}, status)


def make_app(client: Client, workflow: Workflow) -> FastAPI:
    """The service; it closes the client when it ends."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with client:
            yield

    pictures = Pictures(client, workflow)
    app = FastAPI(title="Pictures", lifespan=lifespan)
    app.post("/pictures", status_code=202)(pictures.order)
    app.get("/pictures/{picture}")(pictures.look)
    app.get("/pictures/{picture}/events")(pictures.follow)
    app.get("/pictures/{picture}/image")(pictures.image)
    app.delete("/pictures/{picture}")(pictures.stop)
    app.exception_handler(ComfyError)(explain)
    return app


def from_environment() -> FastAPI:
    """The service for the server at COMFYUI_URL and the workflow at WORKFLOW."""
    return make_app(Client(), Workflow.load(os.environ["WORKFLOW"]))
