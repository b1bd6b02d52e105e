"""``Client``: one ComfyUI server, its nouns, and running workflows on it."""

from __future__ import annotations

import functools
from time import monotonic
from typing import TYPE_CHECKING, Any

from comfyclient import _watched
from comfyclient._body import body_of
from comfyclient._event_source import EventSource
from comfyclient._http import Transport
from comfyclient._submitter import Submitter, cancelling, stopped
from comfyclient._tracking import attachment
from comfyclient._tracking.log_events import LogEvents
from comfyclient._tracking.tracker import Tracker
from comfyclient.config import ClientConfig
from comfyclient.jobs import Job
from comfyclient.resources import (
    Assets,
    Files,
    History,
    Jobs,
    Models,
    Nodes,
    Queue,
    Settings,
    System,
    Templates,
    Userdata,
    Users,
)
from comfyclient.sweep import Variation, sweep
from comfyclient.workflow import Workflow
from comfyclient.workflow.source import PATIENCE
from comfyclient.workflow.wording import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import requests
    from typing_extensions import Self

    from comfyclient.builder import Builder
    from comfyclient.display.progress import JobProgress
    from comfyclient.display.sweep import SweepProgress
    from comfyclient.events import Event
    from comfyclient.results import Result
    from comfyclient.workflow.source import Preference, Source


class Client(EventSource):
    """A ComfyUI server.

    Making one does no I/O. One client serves any number of threads and jobs over one websocket; it starts at most two
    threads, with the first job or subscription. Use it as a context manager, or ``close`` it.

    Args:
        url: The server's address, such as ``"http://127.0.0.1:8188"``; by default what the environment variable
            ``COMFYUI_URL`` says, or else that very one.
        config: Everything at once, instead of ``url`` and ``options``.
        **options: The fields of ``ClientConfig``.

    Raises:
        ValueError: The URL is none, or an option has an impossible value.
        TypeError: An option is not known.

    Attributes:
        config: How the client reaches its server.
        queue: What waits and runs.
        history: What has ended.
        jobs: Both.
        files: What the server keeps: to read, download and upload.
        nodes: The node classes it has.
        models: The model files it has.
        templates: The ready-made workflows and subgraphs it offers.
        userdata: The files that the editor keeps for a user.
        settings: The editor's settings.
        users: Who uses it.
        assets: What it knows by content.
        system: Its devices, memory and log.
        server: Its version, and what it can do.

    Example:
        >>> with Client("http://127.0.0.1:8188") as client:
        ...     result = client.run("portrait.json")
        ...     print(result.images[0].save("fox.png"))
        fox.png
    """

    def __init__(self, url: str | None = None, *, config: ClientConfig | None = None, **options: Any) -> None:
        if config is not None and (url is not None or options):
            msg = "give either a config or a url with options, not both"
            raise TypeError(msg)
        if config is not None and not isinstance(config, ClientConfig):
            raise TypeError(f"config must be a ClientConfig, not {kind_of(config)}")
        self.config = config or ClientConfig.of(url, options)
        self._transport = Transport(self.config)
        self.queue = Queue(self._transport)
        self.history = History(self._transport)
        self.files = Files(self._transport)
        self.nodes = Nodes(self._transport)
        self.models = Models(self._transport)
        self.templates = Templates(self._transport)
        self.userdata = Userdata(self._transport)
        self.settings = Settings(self._transport)
        self.users = Users(self._transport)
        self.assets = Assets(self._transport)
        self._tracker = Tracker(self.config, queue=self.queue, history=self.history, nodes=self.nodes, files=self.files)
        self.server = self._tracker.server
        self.jobs = Jobs(self._transport, self.server)
        self.system = System(self._transport, LogEvents(self._tracker, self._transport))
        self._submitter = Submitter(
            self._tracker,
            files=self.files,
            nodes=self.nodes,
            account=self.config.account,
            url=self._transport.url,
        )
        super().__init__(self._tracker)

    # ── running workflows ────────────────────────────────────────────────────────────────────────────────────────

    def load(self, source: Source, *, prefer: Preference = "prompt", timeout: float = PATIENCE) -> Workflow:
        """Load a workflow to look at and edit before it runs: ``Workflow.load`` with the server's nodes at hand.

        What the editor saves needs the catalogue of ``client.nodes.list``, which is fetched once and then kept
        (``GET /object_info``); for anything else, nothing is sent.

        Args:
            source: A path, JSON text, bytes, an open file, an address, an ``OutputFile``, a dict such as that of
                ``client.templates.get``, or a workflow; see ``Workflow.load``.
            prefer: Which one to take of an image that has both, the ``"prompt"`` that ran or the ``"workflow"`` of the
                editor.
            timeout: Seconds that fetching an address may take in all.

        Raises:
            WorkflowError: There is no workflow in it, or one of another program; the message says what it is instead,
                and what to do.
            OSError: The file cannot be read.
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The catalogue is needed, and cannot be had.
            ClientClosed: The client is closed.
        """
        workflow = Workflow.load(source, prefer=prefer, timeout=timeout)
        if workflow.needs_catalog:
            workflow = Workflow(workflow, catalog=self.nodes.list())
        return workflow

    def run(
        self,
        workflow: Source,
        *,
        timeout: float | None = None,
        on_event: Callable[[Event], object] | None = None,
        progress: bool | Callable[[JobProgress], object] = False,
        front: bool = False,
        number: float | None = None,
        targets: Iterable[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        preview_method: str | None = None,
        strict: bool = True,
    ) -> Result:
        """Submit a workflow, wait for it, and return what it left behind: ``submit`` and ``Job.result`` in one.

        Ctrl-C (``KeyboardInterrupt``), and whatever else ``on_event`` raises, cancels the prompt on the server. A
        ``timeout`` does not: the prompt goes on.

        Args:
            workflow: A ``Workflow``, or whatever ``load`` takes.
            timeout: Seconds that all of it may take. The submission is not cut short by it, but by the times of the
                config; a result that is there by then is returned in any case.
            on_event: Called in this thread with every event of the job while it waits.
            progress: Draw a progress bar in this thread while it waits: in a terminal, in a notebook with the newest
                preview, and line by line elsewhere, all on the standard error. Or a function that draws, called with a
                ``JobProgress`` ten times a second at most, once a second at least, and once more at the end.
            front: See ``submit``; so for the arguments that follow.
            number: See ``submit``.
            targets: See ``submit``.
            extra_data: See ``submit``.
            preview_method: See ``submit``.
            strict: See ``submit``.

        Raises:
            WorkflowError, PromptRejected, ServerUnreachable, RequestTimeout, ServerError, Unsupported: See ``submit``.
            JobFailed, JobInterrupted, JobLost, JobTimeout, ClientClosed: See ``Job.result``.
            ImportError: tqdm, which draws the bar, is not installed; nothing was submitted.

        Example:
            >>> result = client.run(workflow, timeout=600)
            >>> result.images[0].pil().size
            (512, 512)
        """
        started = monotonic()
        watching = _watched.job(progress)
        request = self._submitter.request(
            self.load(workflow),
            front=front,
            number=number,
            targets=targets,
            extra_data=extra_data,
            preview_method=preview_method,
        )
        job = self._submitter.handle(request)
        wanted = on_event is not None or progress is not False
        listener = job._state.listen() if wanted else None  # noqa: SLF001 - the client makes its jobs
        try:
            with watching as watcher, cancelling(job):  # the last that is drawn is what became of it
                self._submitter.submit(job, request, strict=strict)
                remaining = None if timeout is None else max(0.0, timeout - (monotonic() - started))
                return job._conclude(remaining, on_event, listener, watcher)  # noqa: SLF001
        except KeyboardInterrupt:
            raise stopped(job) from None

    def submit(
        self,
        workflow: Source,
        *,
        front: bool = False,
        number: float | None = None,
        targets: Iterable[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        preview_method: str | None = None,
        strict: bool = True,
    ) -> Job:
        """Put a workflow into the server's queue (``POST /prompt``). It is there exactly once when this returns.

        The first call opens the websocket. An answer that is lost on the way is looked for, never posted again.

        Files of your own among the inputs are uploaded first (``POST /upload/image``): a ``pathlib.Path`` given to
        ``LoadImage``, ``LoadAudio``, ``LoadVideo`` and whatever else takes an uploaded file, or for an image ``bytes``,
        an image of Pillow or a NumPy array; see ``client.files.upload_image``. A string is a name on the server. What
        is submitted, and ``Job.workflow``, has the names that the server gave; ``workflow`` itself stays as it is.

        Args:
            workflow: A ``Workflow``, or whatever ``load`` takes.
            front: Put it before everything that waits.
            number: Its place in the order of execution instead: the lowest number runs first.
            targets: Ids of output nodes; only these and what they need are run. Servers before 0.3.48 are sent nothing
                else.
            extra_data: More for the server to keep with the prompt, such as ``extra_pnginfo``.
            preview_method: ``"none"``, ``"auto"``, ``"latent2rgb"`` or ``"taesd"`` for this prompt alone.
            strict: Whether it is an error if the server refuses some of the outputs and accepts others. What it
                accepted is then cancelled. With ``False`` it runs, and ``Job.node_errors`` tells what was refused.

        Raises:
            WorkflowError: The document is wrong, or a file of your own cannot be read or is given to an input that
                takes none; nothing was submitted.
            PromptRejected: The server refused it; the text names node, input, value and what is allowed.
            ServerUnreachable: No server, or it broke off and the prompt is not there; if that cannot be known, the
                text says so and names the prompt's id, for ``client.job``.
            RequestTimeout: No answer in time, and the prompt is not there.
            ServerError: The server failed.
            Unsupported: There is a ``preview_method``, and the server is older than 0.9.
            ClientClosed: The client is closed.
            ValueError: There is no such ``preview_method``.

        Example:
            >>> job = client.submit(workflow)
            >>> job.result(timeout=600).images[0].filename
            'portrait_00001_.png'
        """
        request = self._submitter.request(
            self.load(workflow),
            front=front,
            number=number,
            targets=targets,
            extra_data=extra_data,
            preview_method=preview_method,
        )
        job = self._submitter.handle(request)
        self._submitter.submit(job, request, strict=strict)
        return job

    def map(
        self,
        workflow: Source,
        variations: Iterable[Mapping[str, Any]],
        *,
        in_flight: int = 8,
        in_order: bool = True,
        progress: bool | Callable[[SweepProgress], object] = False,
        **options: Any,
    ) -> Iterator[Variation]:
        """Run a workflow once for each variation, keeping the server busy.

        Files of your own are uploaded as ``submit`` does, once each as long as they do not change on your disk.

        Args:
            workflow: A ``Workflow``, or whatever ``load`` takes.
            variations: What to set each time, as ``Workflow.set`` takes it, such as ``{"6.text": "a fox"}``. Taken
                one by one, so it may be endless.
            in_flight: How many prompts wait or run on the server at most.
            in_order: Whether they come in the order of ``variations``, or as they end.
            progress: Draw a bar over all of them while the loop waits for the next, as ``run`` does for one; or a
                function that draws, called with a ``SweepProgress``.
            **options: See ``submit``.

        Yields:
            One ``Variation`` each; its ``result()`` is the result, or raises what went wrong with this one. A failure
            ends nothing else. When the loop is left early, what is in flight is cancelled.

        Example:
            >>> for variation in client.map(workflow, [{"KSampler.seed": 1}, {"KSampler.seed": 2}]):
            ...     print(variation.changes, variation.result().images[0].filename)
            {'KSampler.seed': 1} portrait_00001_.png
            {'KSampler.seed': 2} portrait_00002_.png
        """
        uploads = self._submitter.uploads()

        def submit(document: Workflow, *, strict: bool = True, **options: Any) -> Job:
            request = self._submitter.request(document, uploads, **options)
            job = self._submitter.handle(request)
            with cancelling(job):  # the loop does that for the jobs that it has
                self._submitter.submit(job, request, strict=strict)
            return job

        watching = _watched.sweep(progress)
        document = self.load(workflow)
        return sweep(submit, document, variations, in_flight=in_flight, in_order=in_order, watching=watching, **options)

    def job(self, prompt_id: str) -> Job:
        """Take up a job that is on the server already, submitted by whomever (``GET /queue``, ``GET /history/{id}``).

        A job of another client is followed by polling, since its events go to that client: ``Job.events`` is silent,
        and ``Job.progress`` is 0 until it ends. A client with the ``client_id`` of the one that submitted it does get
        the events from now on.

        Raises:
            JobLost: The server does not know it.
            TypeError: The id is no string.
        """
        if not isinstance(prompt_id, str):
            raise TypeError(f"a prompt's id is a string, as Job.prompt_id is, not {kind_of(prompt_id)}")
        state, item = attachment.attach(self._tracker, prompt_id)
        targets = item.outputs_to_execute or None
        return Job(
            self._tracker,
            state,
            functools.partial(Workflow, item.prompt),
            targets=targets,
            secrets=self._submitter.keys(),
        )

    def builder(self) -> Builder:
        """Start a graph in Python, with the server's node classes as methods (``GET /object_info``, once).

        ``g = client.builder()`` is a ``comfyclient.builder.Builder``: ``g.KSampler(model=model, steps=20, ...)`` adds a
        node, and ``client.run(g.workflow())`` runs what was built.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The catalogue cannot be had.
        """
        from comfyclient.builder import Builder  # noqa: PLC0415 - most programs never do this

        return Builder(self.nodes.list())

    # ── everything else ──────────────────────────────────────────────────────────────────────────────────────────

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> requests.Response:
        """Send a request to a route that has no method of its own, such as one of a custom node.

        Address, credentials, retries and errors are those of every other method. Runs in the caller's thread.

        Args:
            method: The HTTP verb.
            path: The path below the server's address, such as ``"/my_pack/status"``, its segments escaped.
            params: The query; entries that are ``None`` are left out.
            json: A value to send as JSON.
            data: Or a body: bytes, text, a binary file, an iterable of bytes, or a mapping for a form. Files and
                iterables are read while they are sent, with POST and PATCH; other requests may be tried again, so
                there they are read into memory first.
            headers: Headers of this request only.
            timeout: Seconds of silence instead of ``ClientConfig.read_timeout``.

        Returns:
            The successful answer, its body read.

        Raises:
            NotFound: The server has no such route, or not what it names.
            ServerError: Any other 4xx or 5xx; ``body`` is what the server said.
            ServerUnreachable: No connection, or it broke.
            RequestTimeout: No answer in time.
            ClientClosed: The client is closed.
            TypeError: An argument is of the wrong type, or there are both ``json`` and ``data``.
            ValueError: ``path`` is a whole address: this goes to the client's server only.
        """
        if not all(isinstance(text, str) for text in (method, path)):
            raise TypeError(f"a request is a verb and a path, such as ('GET', '/queue'), not {(method, path)!r}")
        if json is not None and data is not None:
            raise TypeError("give either json or data, not both")
        if "://" in path.partition("?")[0]:
            raise ValueError("give the path alone: a client's requests go to its own server")
        method = method.upper()
        return self._transport.request(
            method,
            path if path.startswith("/") else f"/{path}",
            params=params,
            json_body=json,
            data=body_of(method, data),
            headers=headers,
            timeout=timeout,
        )

    # ── the connection ───────────────────────────────────────────────────────────────────────────────────────────

    def connect(self) -> None:
        """Open the websocket now, rather than with the first job, and wait until it is open.

        Raises:
            ServerUnreachable: It did not open.
            ValueError: The client was made with ``realtime=False``.
            ClientClosed: The client is closed.
        """
        self._tracker.connect()

    def close(self, timeout: float = 5.0) -> None:
        """End the client's threads, sockets and waits; jobs on the server go on. Idempotent.

        From within a callback it returns at once. Elsewhere it waits up to ``timeout`` seconds for callbacks that wait
        their turn, and as long again for the one that runs.
        """
        self._tracker.close(timeout)
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.config.shown_url}>"
