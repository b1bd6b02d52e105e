"""The server's nouns: one class each, HTTP only."""

from comfyclient.resources.files import Files
from comfyclient.resources.history import History
from comfyclient.resources.jobs import Jobs
from comfyclient.resources.nodes import Nodes
from comfyclient.resources.queue import Queue
from comfyclient.resources.system import System

__all__ = ["Files", "History", "Jobs", "Nodes", "Queue", "System"]
