"""Names that come from the server choose no place on the user's disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.results import Result, Timings
from tests.fakes import FlakyServer, reply

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "../../evil.png",
    "/tmp/evil.png",  # noqa: S108 - nobody writes there
    "..\\..\\evil.png",
    "C:\\evil.png",
    "C:evil.png",
    "..",
    ".",
    "sub/../../evil.png",
    "evil.png\0.txt",
    "~/evil.png",
    "CON",
    "a" * 400,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("subfolder", ["", "../..", "/etc"])
def test_a_file_stays_in_its_directory(name: str, subfolder: str, tmp_path: Path) -> None:
    place = tmp_path / "outer" / "inner"
    place.mkdir(parents=True)
    outputs = {"9": {"images": [{"filename": name, "subfolder": subfolder, "type": "output"}]}}
    with FlakyServer(reply(200, b"content")) as server, Client(server.url, realtime=False) as client:
        result = Result(
            prompt_id="p",
            workflow=None,
            outputs=outputs,
            display={},
            cached=(),
            socket_images=(),
            timings=Timings(),
            files=client.files,
            fetch_history=lambda: None,
        )
        assert result.files
        for file in result.files:
            assert file.save(place).parent == place
    for directory, _, files in os.walk(tmp_path):
        assert not files or directory == str(place)
