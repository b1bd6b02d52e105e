"""The server's nouns: one class each, HTTP only."""

from comfyclient.resources.assets import Assets
from comfyclient.resources.assets_seeding import AssetSeeding
from comfyclient.resources.assets_tags import AssetTags
from comfyclient.resources.files import Files
from comfyclient.resources.history import History
from comfyclient.resources.jobs import Jobs
from comfyclient.resources.models import Models
from comfyclient.resources.nodes import Nodes
from comfyclient.resources.queue import Queue
from comfyclient.resources.server import Server
from comfyclient.resources.settings import Settings
from comfyclient.resources.system import System
from comfyclient.resources.templates import Templates
from comfyclient.resources.userdata import Userdata
from comfyclient.resources.users import Users

__all__ = [
    "AssetSeeding",
    "AssetTags",
    "Assets",
    "Files",
    "History",
    "Jobs",
    "Models",
    "Nodes",
    "Queue",
    "Server",
    "Settings",
    "System",
    "Templates",
    "Userdata",
    "Users",
]
