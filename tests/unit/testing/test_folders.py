"""The directories of an embedded server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from comfyclient.testing.folders import Folders

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path, {"loras": ["a.safetensors", "sub/b.safetensors"], "mine": []})


def test_models_are_files(folders: Folders) -> None:
    assert folders.models("loras") == ["a.safetensors", "sub/b.safetensors"]
    assert folders.models("checkpoints") == []
    names = list(folders.model_folders())
    assert names[0] == "checkpoints"
    assert names[-1] == "mine"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.png", "input/a.png"), ("x/a.png [output]", "output/x/a.png"), ("a.png [temp]", "temp/a.png")],
)
def test_names_of_inputs(name: str, expected: str, folders: Folders) -> None:
    assert folders.find(name) == folders.root / expected
    assert not folders.exists(name)
    folders.find(name).parent.mkdir(exist_ok=True)
    folders.find(name).touch()
    assert folders.exists(name)


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "x/../../a.png"])
def test_names_that_lead_outside(name: str, folders: Folders) -> None:
    with pytest.raises(ValueError, match="Invalid file path"):
        folders.find(name)
    assert not folders.exists(name)


def test_files_are_counted_for_each_prefix(folders: Folders) -> None:
    saving = folders.saving("sub/img", "output")
    assert (saving.filename, saving.subfolder, saving.counter) == ("img", "sub", 1)
    for name in ("img_00007_.png", "img_odd.png", "image_00099_.png", "img.png"):
        (saving.directory / name).touch()
    assert folders.saving("sub/img", "output").counter == 8
    assert folders.saving("img", "output").counter == 1
    assert folders.saving("sub/img", "temp").counter == 1


def test_prefixes_may_hold_the_time_and_the_size(folders: Folders) -> None:
    saving = folders.saving("%year%/%width%x%height%", "output", 3, 4)
    assert (saving.subfolder, saving.filename) == (str(time.localtime().tm_year), "3x4")


def test_saving_outside_is_refused(folders: Folders) -> None:
    with pytest.raises(Exception, match="Saving image outside the output folder is not allowed"):
        folders.saving("../evil", "output")


def test_the_temp_directory_is_emptied(folders: Folders) -> None:
    (folders.directory("temp") / "x").touch()
    folders.wipe_temp()
    assert list(folders.directory("temp").iterdir()) == []
    with pytest.raises(KeyError):
        folders.directory("models")
