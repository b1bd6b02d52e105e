"""Names from a server that cannot be trusted, and writing that is all or nothing."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfyclient._save import atomic_write, destination, safe_name

POSIX_ONLY = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


@pytest.mark.parametrize(
    "name",
    [
        "ComfyUI_00001_.png",
        "żółw (1).webp",
        "狐.mp4",
        ".hidden",
        "a..b.png",
        "no extension",
        "NULL.txt",
        "CONsole",
    ],
)
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../x", "x"),
        ("..\\..\\x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\x", "x"),
        ("C:x", "C_x"),
        ("\\\\host\\share\\x", "x"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("a/", "file"),
        ("a/..", "file"),
        ("...", "file"),
        ("x. . ", "x"),
        ("a\0b", "a_b"),
        ("a\r\nb\x7f\x1b[31m", "a__b__[31m"),
        ('<>:"|?*.png', "_______.png"),
        ("evil\u202egnp.exe", "evil_gnp.exe"),
        ("\udcff\ud800.png", "__.png"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1 .tar.gz", "_Com1 .tar.gz"),
        ("LPT²", "_LPT²"),
        ("conin$", "_conin$"),
    ],
)
def test_a_hostile_name_is_made_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("a" * 300, "aa"),
        ("a" * 300 + ".png", "a.png"),
        ("狐" * 100 + ".png", "狐.png"),
        ("a." + "x" * 300, "xx"),
    ],
)
def test_a_long_name_is_cut_before_its_extension(name: str, end: str) -> None:
    safe = safe_name(name)
    assert len(safe.encode()) in range(250, 256)
    assert safe.endswith(end)


HOSTILE = st.text(st.sampled_from('/\\.: \0\r\n"<|?*aA1żé狐😀\u202e\ud800CONULcom$²')) | st.text(max_size=400)


@given(HOSTILE)
@example("." * 300)
@example("a" * 255 + ". x")
@example("😀" * 64 + ".png")
def test_whatever_the_name_a_file_can_be_made_in_its_directory(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    with TemporaryDirectory() as directory:
        with atomic_write(Path(directory, safe)) as file:
            file.write(b"x")
        assert os.listdir(directory) == [safe]  # noqa: PTH208 - names as the system holds them


def test_where_a_file_goes(tmp_path: Path) -> None:
    assert destination(tmp_path, "../a.png") == tmp_path / "a.png"
    assert destination(str(tmp_path), "a.png") == tmp_path / "a.png"
    assert destination(f"{tmp_path}/new/", "a.png") == tmp_path / "new" / "a.png"
    assert destination(tmp_path / "new", "a.png") == tmp_path / "new"
    assert destination("fox.png", "a.png") == Path("fox.png")


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "some" / "where" / "a.png"
    with atomic_write(target) as file:
        file.write(b"abc")
        file.flush()
        assert not target.exists()
        assert len(list(target.parent.iterdir())) == 1
    assert target.read_bytes() == b"abc"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_left_of_a_file_that_was_not_finished(
    tmp_path: Path, error: type[BaseException], *, overwrite: bool
) -> None:
    target = tmp_path / "a.png"
    if overwrite:
        target.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(target, overwrite=overwrite) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"old"] if overwrite else [])


@POSIX_ONLY
def test_a_saved_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o026)
    try:
        with atomic_write(tmp_path / "a.png"):
            pass
        with atomic_write(tmp_path / "b.png", overwrite=True):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b.png").stat().st_mode) == 0o640


def test_an_existing_file_is_replaced_only_on_request(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError, match=r"overwrite=True.*a\.png"), atomic_write(target):
        pytest.fail("there is nothing to write")
    assert target.read_bytes() == b"old"
    with atomic_write(target, overwrite=True) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"


@POSIX_ONLY
def test_a_link_to_nowhere_is_a_file_too(tmp_path: Path) -> None:
    link = tmp_path / "a.png"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), atomic_write(link):
        pytest.fail("there is nothing to write")
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture(params=["hard links", "no hard links"])
def _links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no hard links":

        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("_links")
def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.png"

    def write() -> None:
        with atomic_write(target) as file:
            file.write(b"ours")
            target.write_bytes(b"theirs")

    with pytest.raises(FileExistsError, match="overwrite=True"):
        write()
    assert target.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("_links")
def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    writers = 8
    target = tmp_path / "a.png"
    together = Barrier(writers)

    def write(number: int) -> bool:
        try:
            with atomic_write(target) as file:
                file.write(b"%d" % number)
                together.wait(10)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(writers) as pool:
        won = list(pool.map(write, range(writers)))
    assert won.count(True) == 1
    assert target.read_bytes() == b"%d" % won.index(True)
    assert list(tmp_path.iterdir()) == [target]
