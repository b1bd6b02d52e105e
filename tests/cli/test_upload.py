"""``comfyclient upload``."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from comfyclient import Client
from comfyclient.cli.commands.upload import UploadsDocument
from tests.cli.files import picture
from tests.fakes import nobody
from tests.workflows import fresh, node

if TYPE_CHECKING:
    from tests.cli.program import Program
    from tests.contract.sides import Side


@pytest.fixture
def name(comfyclient: Program) -> str:
    """A picture that no server has, in the program's directory."""
    name = f"{uuid.uuid4().hex}.png"
    (comfyclient.directory / name).write_bytes(picture(seed=fresh()))
    return name


def stored(side: Side, name: str, kind: str = "input") -> bytes:
    """What the server has under a name."""
    with Client(side.url) as client:
        return client.files.read(f"{name} [{kind}]")


def test_the_name_to_use(comfyclient: Program, side: Side, name: str) -> None:
    content = (comfyclient.directory / name).read_bytes()
    assert comfyclient("upload", name).out == f"{name}\n"
    assert stored(side, name) == content
    with Client(side.url) as client:
        graph = {"1": node("LoadImage", image=name), "2": node("SaveImage", images=["1", 0], filename_prefix="fox")}
        assert len(client.run(graph).images) == 1


def test_a_name_that_is_taken(comfyclient: Program, side: Side, name: str) -> None:
    comfyclient("upload", name)
    assert comfyclient("upload", name).out == f"{name}\n"  # the same content
    content = picture(seed=fresh())
    (comfyclient.directory / name).write_bytes(content)
    other = comfyclient("upload", name).lines[0]
    assert other == name.replace(".png", " (1).png")
    assert comfyclient("upload", name, "--overwrite").out == f"{name}\n"
    assert stored(side, name) == stored(side, other) == content


def test_several_in_a_directory(comfyclient: Program, side: Side, name: str) -> None:
    (comfyclient.directory / "a fox.png").write_bytes(picture())
    done = comfyclient("upload", name, "a fox.png", "--subfolder", "foxes/red", "--overwrite", "--json")
    assert done.json(UploadsDocument)["files"] == [
        {"name": f"foxes/red/{each}", "filename": each, "subfolder": "foxes/red", "type": "input"}
        for each in (name, "a fox.png")
    ]
    assert stored(side, "foxes/red/a fox.png") == picture()


def test_another_directory(comfyclient: Program, side: Side, name: str) -> None:
    assert comfyclient("upload", name, "--type", "temp").out == f"{name} [temp]\n"
    assert stored(side, name, "temp")


def test_standard_input(comfyclient: Program, side: Side, name: str) -> None:
    content = picture(seed=fresh())
    assert comfyclient("upload", "-", "--name", f"in-{name}", stdin=content).out == f"in-{name}\n"
    assert stored(side, f"in-{name}") == content


def test_a_mask(comfyclient: Program, side: Side, name: str) -> None:
    comfyclient("upload", name)
    mask = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(mask, "PNG")
    (comfyclient.directory / "mask.png").write_bytes(mask.getvalue())
    made = comfyclient("upload", "mask.png", "--mask-for", name).lines[0]
    assert made not in {name, "mask.png"}
    with Image.open(io.BytesIO(stored(side, made))) as image:
        assert image.mode == "RGBA"
        assert image.getchannel("A").getextrema() == (0, 0)
    done = comfyclient("upload", "mask.png", "--mask-for", f"nothing-{name}", code=1)
    assert "there is no such file" in done.err


def test_what_goes_wrong(comfyclient: Program, name: str) -> None:
    assert "none.png: No such file" in comfyclient("upload", "none.png", code=2).err
    assert comfyclient("upload", "none.png", "--json", code=2).error()["type"] == "File"
    assert (
        "it stores nothing outside its directories"
        in comfyclient("upload", name, "--subfolder", "../elsewhere", code=1).err
    )
    with nobody() as nowhere:
        assert "no ComfyUI server answers" in comfyclient("upload", name, "--url", nowhere, code=4).err


def test_the_wrong_words(program: Program) -> None:
    assert "Missing argument 'FILE...'" in program("upload", code=2).err
    assert "--name is for one file" in program("upload", "a", "b", "--name", "c", code=2).err
    assert "Standard input has no name" in program("upload", "-", code=2).err
