"""A page of documentation, executed: each page is one namespace, its blocks run from top to bottom.

- ``python`` blocks are executed; ``await`` may stand outside of functions, as in a notebook.
- An ``output`` block is what the Python block before it prints; ``...`` stands for anything within a line, and alone in
  a line for any lines.
- A block in a comment, ``<!-- invisible-code-block: python``, does for the test what the reader has done elsewhere.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import re
from inspect import CO_COROUTINE
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sybil import Document
from sybil.parsers.myst import CodeBlockParser

from comfyclient import Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sybil import Example

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(ROOT).as_posix(): path for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]}

_FENCE = re.compile(r"^(?P<mark>```+|:::+)(?P<language>[^\n]+)\n(?P<body>.*?)^(?P=mark)$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    for fence in _FENCE.finditer(text):
        yield fence["language"].strip(), fence["body"]


class Page:
    """One page.

    Args:
        path: The file.
        replace: What stands for what: the addresses that pages write, and those that answer here.
        **names: What invisible blocks may use.
    """

    def __init__(self, path: Path, replace: Mapping[str, str], **names: Any) -> None:
        self._path = path
        self._replace = replace
        self._names = names
        self._printed = ""
        self._clients: set[Client] = set()  # also those whose name another one has later

    def run(self) -> int:
        """Execute it, and close the clients that it leaves open; how many blocks there were."""
        parsers = [CodeBlockParser("python", self._execute), CodeBlockParser("output", self._compare)]
        document = Document.parse(str(self._path), *parsers)
        document.namespace.update(self._names)
        count = 0
        try:
            for example in document.examples():
                example.evaluate()
                count += 1
        finally:
            for client in self._clients:
                client.close()
        return count

    def _here(self, text: str) -> str:
        for written, meant in self._replace.items():
            text = text.replace(written, meant)
        return text

    def _execute(self, example: Example) -> None:
        __tracebackhide__ = True
        before = "\n" * (example.line + example.parsed.line_offset)  # so that tracebacks name the page's line
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(before + self._here(example.parsed), self._path, "exec", flags, dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            waits = eval(code, example.namespace)  # noqa: S307 - it is our own page
            if code.co_flags & CO_COROUTINE:
                asyncio.run(waits)
        self._clients |= {value for value in example.namespace.values() if isinstance(value, Client)}
        self._printed = output.getvalue()

    def _compare(self, example: Example) -> str | None:
        wanted = self._here(example.parsed)
        if pattern(wanted).fullmatch(self._printed):
            return None
        return f"The page says:\n{wanted}\nIt prints:\n{self._printed}"


def pattern(wanted: str) -> re.Pattern[str]:
    """What fits what a page says, dots and all."""
    lines = [
        "(.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in wanted.splitlines()
    ]
    return re.compile("".join(lines))
