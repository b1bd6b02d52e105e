"""What the server's HTTP answers hold: frozen attrs classes with the server's own field names.

Whatever a server says beyond a class's fields is in ``extra``.
"""

from comfyclient.types.files import FileInfo
from comfyclient.types.history import HistoryEntry, HistoryStatus
from comfyclient.types.jobs import JobInfo, JobsPage, Pagination
from comfyclient.types.nodes import InputInfo, NodeInfo
from comfyclient.types.queue import ExecInfo, PromptInfo, PromptStatus, QueueItem, QueueState
from comfyclient.types.system import Device, SystemInfo, SystemStats

__all__ = [
    "Device",
    "ExecInfo",
    "FileInfo",
    "HistoryEntry",
    "HistoryStatus",
    "InputInfo",
    "JobInfo",
    "JobsPage",
    "NodeInfo",
    "Pagination",
    "PromptInfo",
    "PromptStatus",
    "QueueItem",
    "QueueState",
    "SystemInfo",
    "SystemStats",
]
