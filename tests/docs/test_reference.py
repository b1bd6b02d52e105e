"""What the reference lists is what there is."""

from __future__ import annotations

import ast
import inspect
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest

import comfyclient
from comfyclient import errors, events
from tests.docs.notebooks import NOTEBOOKS
from tests.docs.pages import DOCS, PAGES, ROOT, blocks
from tests.docs.public import PUBLIC
from tests.nouns import NOUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(600)  # the first one to ask for it builds the documentation, and runs its notebooks

ALL_EVENTS = {**events.EVENT_TYPES, **events.LOCAL_TYPES}
CAPTURES = ROOT / "tests" / "captures" / "version_comparison.json"


def rows(page: str) -> Iterator[list[str]]:
    """The cells of each row of a page's tables, without backticks; headings left out."""
    for line in (DOCS / page).read_text("utf-8").splitlines():
        if line.startswith("| `"):
            yield [cell.strip().replace("`", "") for cell in line.strip("|").split("|")]


def fields_of(cls: Any) -> Iterable[attrs.Attribute[Any]]:
    return attrs.fields(cls)  # type: ignore[no-any-return]  # attrs is asked about a class that is known as Any


def public(cls: type) -> list[str]:
    """The names of its methods, without those of the standard library that it inherits."""
    methods = inspect.getmembers(cls, callable)
    return [
        name for name, method in methods if not name.startswith("_") and method.__module__.startswith("comfyclient")
    ]


# --- the built pages ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def names(built: Path) -> set[str]:
    """What the reference has an entry for."""
    packed = (built / "objects.inv").read_bytes().split(b"\n", 4)[4]  # after four lines of plain text
    entries = [line.split(" ")[:2] for line in zlib.decompress(packed).decode().splitlines()]
    return {name for name, kind in entries if kind.startswith("py:")}


def missing(names: set[str], public: dict[str, Any]) -> set[str]:
    """Which names, and members of classes, the reference says nothing of.

    What has two names needs one entry. A field is told as well by the docstring of its class, and a field of an event
    by the table of events.
    """
    entries: dict[int, list[str]] = {}
    for name, value in public.items():
        if name in names:
            entries.setdefault(id(value), []).append(name)
    lacking = {name for name, value in public.items() if id(value) not in entries}
    for name, value in public.items():
        if inspect.isclass(value):
            lacking |= {f"{name}.{member}" for member in members(value) - told(value, names, entries)}
    return lacking


def lineage(cls: type) -> list[type]:
    """The class and those of ours that it inherits from."""
    return [base for base in cls.__mro__ if base.__module__.startswith("comfyclient")]


def members(cls: type) -> set[str]:
    """Its public methods, properties and fields, inherited ones too."""
    found = {name for base in lineage(cls) for name in vars(base)}
    if attrs.has(cls):
        found |= {field.name for field in attrs.fields(cls)}
    return {name for name in found if not name.startswith("_")}


def told(cls: type, names: set[str], entries: dict[int, list[str]]) -> set[str]:
    """Those that the reference has something about."""
    docstrings = "\n".join(base.__doc__ or "" for base in lineage(cls))
    found = set(re.findall(r"^ +(\w+): ", docstrings, re.MULTILINE))
    places = {entry for base in lineage(cls) for entry in entries.get(id(base), ())}
    found |= {name.rpartition(".")[2] for name in names if name.rpartition(".")[0] in places}
    if issubclass(cls, events.Event):
        for _, shown, fields, _ in rows("reference/events.md"):
            if shown == cls.__name__:
                found |= {"extra", *fields.split(", ")}
    return found


def test_every_public_name_has_its_entry(names: set[str]) -> None:
    assert missing(names, PUBLIC) == set()


def test_a_name_without_an_entry_is_found(names: set[str]) -> None:
    gone = {"comfyclient.wait", "comfyclient.events.Progress", "comfyclient.Job.cancel", "comfyclient.Workflow.set"}
    assert missing(names - gone, PUBLIC) >= gone

    class Novel(comfyclient.WorkflowError):
        """Somebody adds this.

        Attributes:
            described: This is.
        """

        described: int

        def forgotten(self) -> None:
            """This is not."""

    Novel.__module__ = "comfyclient.errors"
    assert missing({*names, "comfyclient.Novel"}, {"comfyclient.Novel": Novel}) == {"comfyclient.Novel.forgotten"}


def test_what_pages_and_programs_import_has_its_entry(names: set[str]) -> None:
    code = [
        (path, body) for path in PAGES.values() for kind, body in blocks(path.read_text("utf-8")) if kind == "python"
    ]
    code += [(path, path.read_text("utf-8")) for path in (DOCS / "examples").rglob("*.py")]
    imported = {
        (path, f"{each.module}.{alias.name}", f"comfyclient.{alias.name}")
        for path, body in code
        for each in ast.walk(ast.parse(body))
        if isinstance(each, ast.ImportFrom) and (each.module or "").partition(".")[0] == "comfyclient"
        for alias in each.names
    }
    assert len({path for path, *_ in imported}) > 50
    assert [each for each in imported if not names & {*each[1:]}] == []


def test_no_page_shows_markup(built: Path) -> None:
    for page in built.rglob("*.html"):
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", "", page.read_text("utf-8"), flags=re.DOTALL)
        assert not re.search(r"^:\w+:|:(py|class|meth|func|ref|doc):|\.\. \w+::|NOTHING", text, re.MULTILINE), page


def test_no_page_links_to_a_server_that_has_ended(built: Path) -> None:
    for page in built.rglob("*.html"):
        assert 'href="http://127.0.0.1' not in page.read_text("utf-8"), page


# --- tables -------------------------------------------------------------------------------------------------


def test_the_table_of_events_is_complete() -> None:
    found = {name: (cls, fields) for name, cls, fields, _ in rows("reference/events.md")}
    expected = {}
    for name, cls in ALL_EVENTS.items():
        fields = ", ".join(field.name for field in fields_of(cls) if field.name != "extra")
        fields = "those of AssetsSeed" if issubclass(cls, events.AssetsSeed) else fields
        expected[name] = (cls.__name__, fields or "none")
    assert found == expected


SINCE = ["any", "July 2024", "November 2024", "0.3.34", "0.3.45", "0.30", "comfyclient"]
"""The words of the table, in the order of time."""
NEWEST = {"2024-03": "any", "0.3.64": "0.3.45", "0.9.2": "0.3.45", "0.30.0": "0.30"}
"""Of the servers that were captured: the newest thing that each can know."""


def test_the_table_of_events_knows_what_old_servers_send() -> None:
    since = {name: when for name, _, _, when in rows("reference/events.md")}
    assert set(since.values()) == set(SINCE)
    captured = json.loads(CAPTURES.read_text("utf-8"))
    runs = [runs for title, runs in captured.items() if title.startswith("ws seq")]
    sent: dict[str, set[str]] = {}
    for version, newest in NEWEST.items():
        sent[version] = {message.split(":")[0] for run in runs for message in run[version]} & since.keys()
        assert {"executing", "executed", "execution_cached"} <= sent[version]
        too_new = {name for name in sent[version] if SINCE.index(since[name]) > SINCE.index(newest)}
        assert too_new == set(), version
    assert {name for name in sent["0.3.64"] - sent["2024-03"] if since[name] == "any"} == set()


def test_the_table_of_routes_is_complete() -> None:
    found = {method: route for method, route in rows("reference/routes.md")}  # noqa: C416 - it says what they are
    expected = {}
    for noun, cls in NOUNS.items():
        for method in public(cls):
            route = re.search(r"\(``([A-Z]+ /\S+)``\)", inspect.getdoc(getattr(cls, method)) or "")
            expected[f"client.{noun}.{method}"] = route[1] if route else "none"
    assert found == expected


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_is_found_by_its_name(noun: str) -> None:
    for place in (
        "comfyclient/resources/{}.py",
        "tests/unit/resources/test_{}.py",
        "tests/integration/resources/test_{}.py",
    ):
        assert (ROOT / place.format(noun.replace(".", "_"))).is_file()
    pages = [*(DOCS / "howto").glob("*.md"), *(DOCS / "explanation").glob("*.md")]
    assert any(re.search(rf"`client\.{re.escape(noun)}\b", page.read_text("utf-8")) for page in pages)


def test_every_error_is_explained() -> None:
    text = (DOCS / "howto" / "errors.md").read_text("utf-8")
    explained = {name for name, *_ in rows("howto/errors.md")}
    for name, cls in inspect.getmembers(errors, inspect.isclass):
        if issubclass(cls, errors.ComfyError):
            assert name in explained or name in {"ComfyError", "JobError"}, name
            assert f"`{name}" in text
    for name, _, holds, _ in rows("howto/errors.md"):
        for attribute in re.findall(r"\b[a-z]+_[a-z_]+\b", holds):
            assert attribute in (inspect.getdoc(getattr(errors, name)) or "") + (inspect.getdoc(errors.JobError) or "")


def test_every_option_is_explained() -> None:
    documented = inspect.getdoc(comfyclient.ClientConfig) or ""
    for option in fields_of(comfyclient.ClientConfig):
        assert f"{option.name}:" in documented


# --- what pages refer to ------------------------------------------------------------------------------------


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in [*PAGES.values(), ROOT / "CONTRIBUTING.md"]:
        text = path.read_text("utf-8")
        commands = [body for kind, body in blocks(text) if kind == "console"]
        commands += re.findall(r"`([^`\n]*\bmake [^`\n]*)`", text)
        used = {target for command in commands for target in re.findall(r"\bmake ([a-z]+)", command)}
        assert used - targets == set(), path


def test_extras_are_written_so_that_every_shell_takes_them() -> None:
    programs = [*(DOCS / "examples").rglob("*.py"), *(ROOT / "comfyclient").rglob("*.py")]
    for path in [*PAGES.values(), *NOTEBOOKS.values(), *programs]:
        found = re.findall(r"pip install\s[^'`\n]*comfyclient\[\S*", path.read_text("utf-8"))
        assert found == [], f"zsh takes [ for a pattern: quote it in {path}"


@pytest.mark.usefixtures("built")  # which draws what pages show
def test_links_to_files_lead_somewhere() -> None:
    for path in [*PAGES.values(), ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)|\}`[^`]*<([^>`]+)>`", path.read_text("utf-8")):
            link = next(filter(None, target)).split("#")[0]
            if link and "://" not in link:
                assert (path.parent / link).exists(), f"{link} in {path}"
