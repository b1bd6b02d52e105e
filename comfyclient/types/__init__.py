"""What the server's HTTP answers hold: frozen attrs classes with the server's own field names.

Whatever a server says beyond a class's fields is in ``extra``.
"""

from comfyclient.types.assets import (
    Asset,
    AssetsPage,
    SeedProgress,
    SeedStart,
    SeedStatus,
    TagsAdded,
    TagsPage,
    TagsRemoved,
    TagUsage,
)
from comfyclient.types.files import FileInfo, FileStat
from comfyclient.types.history import HistoryEntry, HistoryStatus
from comfyclient.types.jobs import JobInfo, JobsPage, Pagination
from comfyclient.types.logs import LogEntry, ServerLog, TerminalSize
from comfyclient.types.models import ModelFile, ModelFolder
from comfyclient.types.nodes import InputInfo, InputMapping, NodeInfo, NodeReplacement, OutputMapping
from comfyclient.types.queue import ExecInfo, PromptInfo, PromptStatus, QueueItem, QueueState
from comfyclient.types.system import Device, PackageVersion, SystemInfo, SystemStats
from comfyclient.types.templates import Subgraph, TemplateCategory, TemplateInfo
from comfyclient.types.userdata import UserEntry, UserFile
from comfyclient.types.users import UsersInfo

__all__ = [
    "Asset",
    "AssetsPage",
    "Device",
    "ExecInfo",
    "FileInfo",
    "FileStat",
    "HistoryEntry",
    "HistoryStatus",
    "InputInfo",
    "InputMapping",
    "JobInfo",
    "JobsPage",
    "LogEntry",
    "ModelFile",
    "ModelFolder",
    "NodeInfo",
    "NodeReplacement",
    "OutputMapping",
    "PackageVersion",
    "Pagination",
    "PromptInfo",
    "PromptStatus",
    "QueueItem",
    "QueueState",
    "SeedProgress",
    "SeedStart",
    "SeedStatus",
    "ServerLog",
    "Subgraph",
    "SystemInfo",
    "SystemStats",
    "TagUsage",
    "TagsAdded",
    "TagsPage",
    "TagsRemoved",
    "TemplateCategory",
    "TemplateInfo",
    "TerminalSize",
    "UserEntry",
    "UserFile",
    "UsersInfo",
]
