"""A file's name."""

from __future__ import annotations

from comfyclient.types import FileInfo


def test_files_of_one_name_are_one_file() -> None:
    plain = FileInfo("a.png", "sub", "temp")
    described = FileInfo("a.png", "sub", "temp", {"format": "video/h264-mp4"})

    assert plain == described
    assert {plain: 1}[described] == 1
    assert plain != FileInfo("a.png", "sub")


def test_an_output_is_the_default() -> None:
    assert FileInfo("a.png") == FileInfo("a.png", "", "output")
