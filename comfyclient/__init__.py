"""comfyclient: run workflows on ComfyUI servers, from scripts, notebooks and services.

    from comfyclient import Client, Workflow

    client = Client("http://127.0.0.1:8188")
    result = client.run(Workflow.load("portrait.json"))
    result.images[0].save("fox.png")

Names are imported when they are first used, so that ``import comfyclient`` alone costs next to nothing.
"""

import importlib
import logging
from typing import TYPE_CHECKING, Any

from comfyclient._version import __version__

if TYPE_CHECKING:
    from comfyclient._realtime.buffer import EventQueue
    from comfyclient._realtime.subscriptions import Subscription
    from comfyclient.client import Client
    from comfyclient.config import ClientConfig, Reconnect, Retry
    from comfyclient.display.progress import JobProgress
    from comfyclient.display.sweep import SweepProgress
    from comfyclient.errors import (
        AuthenticationError,
        ClientClosed,
        ComfyError,
        DecodeError,
        JobError,
        JobFailed,
        JobInterrupted,
        JobLost,
        JobTimeout,
        NodeProblem,
        NotFound,
        PromptRejected,
        RequestTimeout,
        ServerError,
        ServerUnreachable,
        Unsupported,
        WorkflowError,
    )
    from comfyclient.jobs import Job
    from comfyclient.output_file import OutputFile
    from comfyclient.results import NodeOutput, Result, Timings
    from comfyclient.sweep import Variation
    from comfyclient.waiting import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, as_completed, wait
    from comfyclient.workflow import Node, Workflow
    from comfyclient.workflow.needs import NeededModel
    from comfyclient.workflow.validation import Problem, Problems

logging.getLogger(__name__).addHandler(logging.NullHandler())  # whoever wants to read our log configures logging

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "AuthenticationError",
    "Client",
    "ClientClosed",
    "ClientConfig",
    "ComfyError",
    "DecodeError",
    "EventQueue",
    "Job",
    "JobError",
    "JobFailed",
    "JobInterrupted",
    "JobLost",
    "JobProgress",
    "JobTimeout",
    "NeededModel",
    "Node",
    "NodeOutput",
    "NodeProblem",
    "NotFound",
    "OutputFile",
    "Problem",
    "Problems",
    "PromptRejected",
    "Reconnect",
    "RequestTimeout",
    "Result",
    "Retry",
    "ServerError",
    "ServerUnreachable",
    "Subscription",
    "SweepProgress",
    "Timings",
    "Unsupported",
    "Variation",
    "Workflow",
    "WorkflowError",
    "__version__",
    "as_completed",
    "wait",
]

_HOMES = (  # a module that imports much comes after those that it imports
    "errors",
    "config",
    "workflow",
    "results",
    "_realtime.buffer",
    "_realtime.subscriptions",
    "jobs",
    "waiting",
    "sweep",
    "workflow.validation",
    "workflow.needs",
    "client",
    "display.progress",
    "display.sweep",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                return globals().setdefault(name, getattr(module, name))
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
