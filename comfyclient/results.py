"""What a finished job left behind. Nothing is fetched until it is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from comfyclient._displayed import Displayed
from comfyclient._save import safe_name
from comfyclient._ui import Kind, as_mapping, files_in, joined, texts_in
from comfyclient.output_file import OutputFile
from comfyclient.resources.files import SOCKET_TYPE, Files

if TYPE_CHECKING:
    import os

__all__ = ["NodeOutput", "Result", "Timings"]

_SOCKET_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}

_NOUNS: dict[Kind, str] = {"audio": "audio file", "text": "text file", "model3d": "3D model"}
"""How a repr calls files that are not called by their kind."""


class WorkflowLike(Protocol):
    """What a result wants to know of its workflow."""

    def title(self, node_id: str) -> str:
        """The node's title, or its class."""

    def class_type(self, node_id: str) -> str | None:
        """The node's class."""


@frozen(kw_only=True)
class NodeOutput(Displayed):
    """What one node left behind.

    Attributes:
        node_id: The node.
        title: Its title in the editor, or its class, or its id.
        class_type: Its class, if the workflow is known.
        display_node_id: The node of the workflow that it belongs to: another one for a part of a node that
            expanded itself.
        ui: What the node reported, as sent; where several nodes are shown as this one, their lists joined.
        files: All its files of whatever kind, in the server's order, then those that came over the websocket.
        texts: All its texts.
    """

    node_id: str
    title: str
    class_type: str | None
    display_node_id: str
    ui: Mapping[str, Any] = field(eq=False)
    files: tuple[OutputFile, ...]
    texts: tuple[str, ...]

    @property
    def images(self) -> tuple[OutputFile, ...]:
        """Its images, animated ones too."""
        return _of_kind(self.files, "image")

    @property
    def videos(self) -> tuple[OutputFile, ...]:
        """Its videos, whatever the node calls them."""
        return _of_kind(self.files, "video")

    @property
    def audio(self) -> tuple[OutputFile, ...]:
        """Its audio files."""
        return _of_kind(self.files, "audio")

    def __repr__(self) -> str:
        """Its name and what there is, in words."""
        return f"<NodeOutput {self.node_id} {self.title!r}: {_summary(self.files, self.texts)}>"


@frozen(kw_only=True)
class Timings:
    """When a job did what: seconds since 1970, ``None`` where nobody saw it.

    Attributes:
        created: It entered the queue.
        started: It began to run.
        finished: It ended.
        nodes: Seconds for each node that ran, as seen from here.
    """

    created: float | None = None
    started: float | None = None
    finished: float | None = None
    nodes: Mapping[str, float] = field(factory=dict, hash=False)

    @property
    def waiting(self) -> float | None:
        """Seconds in the queue."""
        return _between(self.created, self.started)

    @property
    def running(self) -> float | None:
        """Seconds from its start to its end."""
        return _between(self.started, self.finished)


class Result(Displayed, Mapping[str, NodeOutput]):
    """What a finished job left behind: a mapping from node id to ``NodeOutput``, in natural order.

    The ids are those of the workflow; what the parts of a node made that expanded itself is found under that
    node, and under the part's own id too. Only nodes with outputs are here.

    Attributes:
        prompt_id: The job's prompt id.
        workflow: The workflow as it was sent, or ``None`` if it is not known.
        cached_nodes: The nodes that did not run, since the server still had their outputs.
        timings: When it was queued, ran and ended.

    Example:
        >>> result = client.run(workflow)
        >>> result["9"].title, result["9"].images == result.images
        ('Save Image', True)
        >>> print(*result.save("pictures"))
        pictures/portrait_00001_.png
    """

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(
        self,
        *,
        prompt_id: str,
        workflow: WorkflowLike | None,
        outputs: Mapping[str, Mapping[str, Any] | None],
        display: Mapping[str, str],
        cached: Iterable[str],
        socket_images: Iterable[tuple[str, str, bytes]],
        timings: Timings,
        files: Files,
        fetch_history: Callable[[], Any],
    ) -> None:
        """Wrap what a job collected; nothing is read yet.

        Args:
            prompt_id: The job's prompt id.
            workflow: Where titles and classes come from.
            outputs: What the nodes reported, by the ids the server ran them under.
            display: The workflow's node for each of those ids that is not in the workflow itself.
            cached: The nodes that did not run.
            socket_images: Node id, MIME type and content of each image sent over the websocket, in order.
            timings: When it did what.
            files: Where files are fetched.
            fetch_history: Gets the history entry.
        """
        self.prompt_id = prompt_id
        self.workflow = workflow
        self.cached_nodes = tuple(sorted(cached, key=_natural))
        self.timings = timings
        self._outputs = outputs
        self._display = display
        self._socket_images = tuple(socket_images)
        self._files = files
        self._fetch_history = fetch_history

    @property
    def files(self) -> tuple[OutputFile, ...]:
        """All files of whatever kind, by node, within a node in the server's order."""
        return tuple(file for files in self._files_of.values() for file in files)

    @property
    def images(self) -> tuple[OutputFile, ...]:
        """All images, animated ones too."""
        return _of_kind(self.files, "image")

    @property
    def videos(self) -> tuple[OutputFile, ...]:
        """All videos, whatever the nodes call them."""
        return _of_kind(self.files, "video")

    @property
    def audio(self) -> tuple[OutputFile, ...]:
        """All audio files."""
        return _of_kind(self.files, "audio")

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that nodes showed; a text that a node saved as a file is in ``files``."""
        return tuple(text for part in self._files_of for text in texts_in(self._outputs.get(part)))

    def by_title(self, title: str) -> NodeOutput:
        """Return the output of the node with this title.

        Raises:
            KeyError: No node with an output is called so, or several are.
        """
        found = [node_id for node_id in self if self._title(node_id) == title]
        if len(found) == 1:
            return self[found[0]]
        if found:
            raise KeyError(f"the title {title!r} is that of nodes {', '.join(found)}; take one by its id")
        raise KeyError(f"no output is of a node with the title {title!r}; there is {self._names()}")

    def history(self) -> Any:
        """Return the server's history entry of the job (``GET /history/{prompt_id}``).

        Raises:
            ComfyError: As ``client.history.get`` says.
        """
        return self._fetch_history()

    def save(self, directory: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Save all files into one directory, which is made if missing.

        A file that several nodes report is saved once. Of different files with one name the later ones get a
        number in front.

        Returns:
            The paths, in the order of ``files``.

        Raises:
            FileExistsError: One of them exists and ``overwrite`` is off; those before it are saved.
            OSError: One cannot be written.
            ComfyError: As ``OutputFile.save`` says.
        """
        places: set[tuple[str, str, str]] = set()
        names: set[str] = set()
        paths: list[Path] = []
        for file in self.files:
            place = (file.type, file.subfolder, file.filename)
            if place in places:
                continue
            places.add(place)
            plain = safe_name(file.filename)
            numbered = (safe_name(f"{number}-{plain}") for number in count(1))
            name = next(name for name in chain([plain], numbered) if name.casefold() not in names)
            names.add(name.casefold())
            paths.append(file.save(Path(directory, name), overwrite=overwrite))
        return paths

    def __getitem__(self, node_id: str) -> NodeOutput:
        """The output of a node of the workflow, or of a part that a node expanded itself into."""
        parts = [part for part in self._files_of if node_id in {part, self._shown(part)}]
        if not parts:
            raise KeyError(f"node {node_id!r} left no output; there is {self._names()}")
        shown = self._shown(parts[0])
        return NodeOutput(
            node_id=node_id,
            title=self._title(shown),
            class_type=None if self.workflow is None else self.workflow.class_type(shown),
            display_node_id=shown,
            ui=joined([as_mapping(self._outputs.get(part)) for part in parts]),
            files=tuple(file for part in parts for file in self._files_of[part]),
            texts=tuple(text for part in parts for text in texts_in(self._outputs.get(part))),
        )

    def __iter__(self) -> Iterator[str]:
        """The ids of the workflow's nodes with outputs, in natural order."""
        return iter(dict.fromkeys(map(self._shown, self._files_of)))

    def __len__(self) -> int:
        """How many nodes of the workflow have outputs."""
        return len(set(map(self._shown, self._files_of)))

    def __repr__(self) -> str:
        """The job and what there is, in words."""
        seconds = self.timings.running
        ran = "" if seconds is None else f", ran {seconds:.3g} s"
        return f"<Result {self.prompt_id}: {_summary(self.files, self.texts)} of {self._names()}{ran}>"

    @cached_property
    def _files_of(self) -> dict[str, tuple[OutputFile, ...]]:
        """The files of each node that ran; expanded ones beside the node that they are shown as."""
        found: dict[str, list[OutputFile]] = {
            part: [OutputFile(**file._asdict(), node_id=part, source=self._files) for file in files_in(reported)]
            for part, reported in self._outputs.items()
        }
        sent: Counter[str] = Counter()
        for part, media_type, content in self._socket_images:
            name = f"{part}_{sent[part]:05d}.{_SOCKET_EXTENSIONS.get(media_type, 'png')}"
            sent[part] += 1
            file = OutputFile(filename=name, type=SOCKET_TYPE, node_id=part, key="images", source=content)
            found.setdefault(part, []).append(file)
        order = sorted(found, key=lambda part: (_natural(self._shown(part)), _natural(part)))
        return {part: tuple(found[part]) for part in order}

    def _shown(self, part: str) -> str:
        return self._display.get(part, part)

    def _title(self, node_id: str) -> str:
        return node_id if self.workflow is None else self.workflow.title(node_id)

    def _names(self) -> str:
        titles = {node_id: self._title(node_id) for node_id in self}
        named = [f"{node_id} {title!r}" if title != node_id else node_id for node_id, title in titles.items()]
        return f"node {', '.join(named)}" if named else "no node"


def _natural(node_id: str) -> list[tuple[int, int, str]]:
    """A sort key by which node 9 comes before node 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d{1,99}|\D+", node_id)]


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


def _of_kind(files: Iterable[OutputFile], kind: Kind) -> tuple[OutputFile, ...]:
    return tuple(file for file in files if file.kind == kind)


def _summary(files: Iterable[OutputFile], texts: tuple[str, ...]) -> str:
    counts = Counter({"text": len(texts)}) + Counter(_NOUNS.get(file.kind, file.kind) for file in files)
    return ", ".join(f"{n} {noun}{'s' * (n > 1)}" for noun, n in counts.items()) or "nothing"
