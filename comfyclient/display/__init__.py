"""What workflows, results and jobs look like: in notebooks, as drawings, and while they run.

Nothing in here is imported before it is used.
"""

from comfyclient.display.progress import JobProgress

__all__ = ["JobProgress"]
