"""How jobs are shown to people while they run. Nothing in here is imported before it is used."""

from comfyclient.display.progress import JobProgress

__all__ = ["JobProgress"]
