"""What goes on, drawn by the thread that waits for it: the progress of a job, and the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from comfyclient.cli.jobs import shown_id
from comfyclient.cli.output import harmless
from comfyclient.cli.server import memory

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.progress import Progress
    from typing_extensions import Self

    from comfyclient.cli.output import Output
    from comfyclient.cli.server import ServerDocument
    from comfyclient.display.progress import JobProgress

__all__ = ["Bar", "ServerView"]

_MOST = 10
"""How many waiting jobs are shown."""


class Bar:
    """One line in a terminal, which goes when the job has ended; elsewhere nothing is drawn.

    Args:
        out: Where to: the messages.
    """

    def __init__(self, out: Output) -> None:
        is_redrawn = out.messages.is_terminal and not out.messages.is_dumb_terminal
        self._console: Console | None = out.messages if is_redrawn and not out.quiet else None
        self._progress: Progress | None = None

    def draw(self, progress: JobProgress) -> None:
        """Draw what there is to say; for the last time, take it away."""
        if self._console is None:
            return
        if self._progress is None:
            self._progress = _line(self._console)
            self._progress.add_task("", total=1.0, times="")
            self._progress.start()
        task = self._progress.task_ids[0]
        self._progress.update(task, completed=progress.fraction, description=progress.headline, times=progress.times)
        self._progress.refresh()
        if not progress.watching:
            self.close()

    def close(self) -> None:
        """Take it away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._console = None


def _line(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - slow to load
    from rich.table import Column  # noqa: PLC0415

    class Line(Progress):
        def get_renderable(self) -> RenderableType:
            return _beside_ctrl_c(super().get_renderable(), console)

    title = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
    percentage = TextColumn("{task.percentage:>3.0f}%")
    times = TextColumn("{task.fields[times]}", markup=False, table_column=Column(no_wrap=True))
    # No thread of rich's own: whoever waits for the job draws.
    bar = BarColumn(bar_width=max(6, min(30, console.width - 50)))  # in a narrow terminal the words come first
    return Line(title, bar, percentage, times, console=console, auto_refresh=False, transient=True, expand=True)


def _beside_ctrl_c(drawn: RenderableType, console: Console) -> RenderableType:
    """Leave room for the ``^C`` that a terminal shows: in a line of its own, it would not go with what is drawn."""
    from rich.constrain import Constrain  # noqa: PLC0415 - slow to load

    return Constrain(drawn, console.width - len("^C"))


class ServerView:
    """The server in a terminal, drawn anew with each change; a context manager, which leaves the last state.

    Args:
        out: Where to: the results.

    Attributes:
        is_live: Whether it is to be drawn: not in a pipe, and not with ``--json``.
    """

    def __init__(self, out: Output) -> None:
        self.is_live = out.is_redrawn and not out.json
        self._out = out
        self._live: Live | None = None
        self._since: dict[str, float] = {}  # when each running job was first seen

    def draw(self, server: ServerDocument, node_id: str | None, step: float | None, steps: float | None) -> None:
        """Draw how it is."""
        now = time.monotonic()
        self._since = {job: self._since.get(job, now) for job in server.running}
        if self._live is None:
            from rich.live import Live  # noqa: PLC0415 - slow to load

            self._live = Live(console=self._out.console, auto_refresh=False)
            self._live.start()
        self._live.update(self._drawn(server, node_id, step, steps), refresh=True)

    def _drawn(
        self, server: ServerDocument, node_id: str | None, step: float | None, steps: float | None
    ) -> RenderableType:
        from rich.progress_bar import ProgressBar  # noqa: PLC0415 - slow to load
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        width = self._out.console.width
        bar_width = max(4, min(20, width - 40))
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True, max_width=max(10, width // 4))  # devices have long names
        grid.add_column(overflow="fold")
        grid.add_column(no_wrap=True)
        grid.add_row("server", Text(harmless(server.url)))
        grid.add_row("ComfyUI", Text(harmless(server.version or "of before September 2024")))
        for job in server.running:
            seconds = time.monotonic() - self._since[job]
            grid.add_row("running", Text(harmless(shown_id(job)), style="green"), f"for {seconds:.0f} s")
        if node_id is not None:
            at = Text(harmless(f"node {node_id}" + (f"  {step:g}/{steps:g}" if step is not None and steps else "")))
            grid.add_row("", at, ProgressBar(total=steps, completed=step or 0, width=bar_width) if steps else "")
        if not server.running:
            grid.add_row("running", "nothing")
        for number, job in enumerate(server.pending[:_MOST]):
            grid.add_row("waiting" if number == 0 else "", Text(harmless(shown_id(job))))
        if len(server.pending) > _MOST:
            grid.add_row("", f"and {len(server.pending) - _MOST} more")
        rooms = [(device.name, device.vram_free, device.vram_total) for device in server.devices]
        for name, free, total in [*rooms, ("RAM", server.ram_free, server.ram_total)]:
            if free is not None and total:
                bar = ProgressBar(total=total, completed=total - free, width=bar_width)
                grid.add_row(Text(harmless(name)), memory(free, total), bar)
        return _beside_ctrl_c(grid, self._out.console)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
