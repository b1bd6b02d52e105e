"""``comfyclient request``."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from comfyclient.cli.exchange import MadeDocument
from tests.cli.files import picture
from tests.fakes import nobody

if TYPE_CHECKING:
    from tests.cli.program import Program
    from tests.contract.sides import Side


def test_json(comfyclient: Program, side: Side) -> None:
    known = side.get("/object_info")
    assert json.loads(comfyclient("request", "get", "/object_info/SaveImage").out)["SaveImage"] == known["SaveImage"]
    made = comfyclient("request", "GET", "object_info/SaveImage", "--json").json(MadeDocument)
    assert (made["format"], made["content"]["SaveImage"]) == ("json", known["SaveImage"])


def test_a_catalogue_for_later(comfyclient: Program) -> None:
    assert comfyclient("request", "GET", "/object_info", "-o", "nodes.json").err == "Wrote nodes.json\n"
    with nobody() as nowhere:
        assert comfyclient("nodes", "--show", "SaveImage", "--catalog", "nodes.json", "--url", nowhere).out
    assert "nodes.json exists" in comfyclient("request", "GET", "/object_info", "-o", "nodes.json", code=1).err


def test_what_is_sent(comfyclient: Program, side: Side) -> None:
    name = uuid.uuid4().hex
    comfyclient("request", "POST", f"/userdata/{name}.txt", "--data", "a fox")
    assert side.ask("GET", f"/userdata/{name}.txt").text == "a fox"
    assert comfyclient("request", "GET", f"/userdata/{name}.txt").out == "a fox"
    (comfyclient.directory / "body.txt").write_text("a red fox")
    comfyclient("request", "POST", f"/userdata/{name}.txt?overwrite=true", "-d", "@body.txt")
    assert side.ask("GET", f"/userdata/{name}.txt").text == "a red fox"
    comfyclient("request", "POST", "/settings/Comfy.Fox", "-d", "@-", stdin=json.dumps(name))
    assert side.get("/settings/Comfy.Fox") == name
    assert comfyclient("request", "DELETE", f"/userdata/{name}.txt").out == ""


def test_bytes(program: Program, embedded_side: Side) -> None:
    content = picture()
    sent = {"image": ("bytes.png", content)}
    assert embedded_side.ask("POST", "/upload/image", files=sent, data={"overwrite": "true"}).ok
    arguments = ("request", "GET", "/view?filename=bytes.png&type=input", "--url", embedded_side.url)
    program(*arguments, "-o", "bytes.png")
    assert (program.directory / "bytes.png").read_bytes() == content
    assert "Binary data goes into a file or a pipe" in program.in_terminal(*arguments, code=2)
    assert program(*arguments, "--json", code=2).error()["type"] == "Usage"


def test_what_goes_wrong(comfyclient: Program) -> None:
    assert comfyclient("request", "GET", "/no/such/route", "--json", code=1).error()["type"] == "NotFound"
    assert "give the path alone" in comfyclient("request", "GET", "http://elsewhere/", code=2).err
    assert "Missing argument 'PATH'" in comfyclient("request", "GET", code=2).err
    assert "none.txt: No such file" in comfyclient("request", "POST", "/x", "-d", "@none.txt", code=2).err
    with nobody() as nowhere:
        assert "no ComfyUI server answers" in comfyclient("request", "GET", "/queue", "--url", nowhere, code=4).err
