"""The benchmarks themselves, as far as they need no server: that they run, and that the table says what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks import corpus
from tests.benchmarks.report import BEGIN, END, Row, for_terminal, write_page
from tests.benchmarks.suite import Stage, of_imports

if TYPE_CHECKING:
    from pathlib import Path


def test_importing_is_measured() -> None:
    with Stage(1, quick=True) as stage:
        rows = list(of_imports(stage))
    assert {row.target for row in rows} == {"13", ""}
    assert rows[-1].holds, "comfyclient imports a large package that most users never need"


def test_a_row_holds_when_its_median_does() -> None:
    row = Row("1", "this / that", [0.2, 0.9, 0.3], 0.5)
    assert row.holds
    assert row.cells()[2:6] == ["≤ 0.50", "0.30", "0.20 to 0.90", "yes"]
    assert not Row("1", "this / that", [0.2, 0.9, 0.6], 0.5).holds
    assert Row("", "only to be seen", [99.0]).holds


def test_the_table_takes_its_place_in_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{BEGIN}\nthe last table\n{END}\nAfter\n", encoding="utf-8")
    for _ in range(2):
        write_page([Row("15", "questions", [0, 0], 0, "requests", "none")], 2, page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Before\n{BEGIN}\n")
    assert text.endswith(f"\n{END}\nAfter\n")
    assert text.count("| 15 | questions | ≤ 0 requests | 0 requests |  | yes | none |\n") == 1
    assert "the last table" not in text


def test_the_terminal_shows_a_note_below_its_row() -> None:
    lines = for_terminal([Row("1", "this / that", [1.0], note="half of them")]).splitlines()
    assert lines[-1].strip() == "half of them"


def test_a_script_is_sent_as_whole_frames_and_ends() -> None:
    sent = b"".join(corpus.pieces(corpus.Script("json3-distinct", 3, "my-prompt")))
    assert sent.count(b"\x81") == 4
    assert {b"000000000000", b"000000000001"} <= {part[24:36] for part in sent.split(b'"prompt_id": "')}
    assert sent.endswith(corpus.last_message("my-prompt"))
