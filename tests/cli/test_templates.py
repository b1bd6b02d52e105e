"""``comfyclient templates``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, NotFound
from comfyclient.cli.commands.templates import TemplatesDocument
from comfyclient.cli.exchange import MadeDocument
from tests.cli.test_program import complete
from tests.fakes import nobody

if TYPE_CHECKING:
    from tests.cli.program import Program
    from tests.contract.sides import Side

PACK = "comfyclient_test_nodes"


def known(side: Side) -> list[str]:
    """The names of all templates."""
    with Client(side.url) as client:
        try:
            official = [each.name for category in client.templates.index() for each in category.templates]
        except NotFound:  # the embedded server has none
            official = []
        return official + [name for names in client.templates.list().values() for name in names]


@pytest.fixture
def real(program: Program, comfyui_url: str) -> Program:
    """``comfyclient`` for the real server, which has templates."""
    program.environment["COMFYUI_URL"] = comfyui_url
    return program


def test_all_of_them(comfyclient: Program, side: Side) -> None:
    names = known(side)
    assert [line.split("\t")[0] for line in comfyclient("templates").lines] == names
    found = comfyclient("templates", "--json").json(TemplatesDocument)["templates"]
    assert [each["name"] for each in found] == names


def test_a_server_without(program: Program, embedded_side: Side) -> None:
    done = program("templates", "--url", embedded_side.url)
    assert (done.out, done.err) == ("", "the server has no templates\n")
    done = program("templates", "--get", "fox", "--url", embedded_side.url, code=1)
    assert "there are no official templates" in done.err


def test_those_in_which_words_occur(real: Program) -> None:
    found = real("templates", "FLUX", "text to image", "--json").json(TemplatesDocument)["templates"]
    assert found
    for each in found:
        text = json.dumps(each).casefold()
        assert "flux" in text
        assert "text to image" in text
    done = real("templates", "nothing of the kind")
    assert (done.out, done.err) == ("", "there is no such template\n")


def test_one_is_fetched(real: Program) -> None:
    name = real("templates", "--json").json(TemplatesDocument)["templates"][0]["name"]
    graph = json.loads(real("templates", "--get", name).out)
    assert graph["nodes"]
    done = real("templates", "--get", name, "-o", "template.json")
    assert done.err == "Wrote template.json\n"
    assert json.loads((real.directory / "template.json").read_text()) == graph
    made = real("templates", "--get", name, "--json").json(MadeDocument)
    assert (made["format"], made["content"]) == ("editor", graph)
    assert "template.json exists; --overwrite" in real("templates", "--get", name, "-o", "template.json", code=1).err


@pytest.mark.needs_test_nodes
def test_one_of_a_pack(real: Program) -> None:
    assert real("templates", "--pack", PACK).lines == [f"red picture\tred picture\t{PACK}"]
    assert json.loads(real("templates", "--pack", PACK, "--get", "red picture").out)
    done = real("templates", "--pack", PACK, "--get", "red pictures", code=1)
    assert "nearest: 'red picture'" in done.err


def test_what_goes_wrong(program: Program) -> None:
    assert "--get takes one name" in program("templates", "fox", "--get", "fox", code=2).err
    assert "-o and --overwrite go with --get" in program("templates", "-o", "fox.json", code=2).err
    with nobody() as nowhere:
        assert "no ComfyUI server answers" in program("templates", "--url", nowhere, code=4).err


@pytest.mark.needs_test_nodes
def test_names_are_completed(real: Program) -> None:
    assert "image_flux2" in complete(real, "comfyclient templates --get image_fl")
    assert complete(real, "comfyclient templates --get red") == ["red picture"]
