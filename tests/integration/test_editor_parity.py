"""The real editor, and the templates that come with the server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient import Workflow
from tests.browser import CHROMIUM, WITHOUT
from tests.editor import answers
from tests.editor.browser import Editor
from tests.editor.graphs import GRAPHS

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI

THE_GALLERYS_OWN = "fuse_options"  # no workflow; the editor opens an empty graph


@pytest.mark.timeout(600)
@pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT)
def test_the_recorded_answers_are_the_editors(comfyui_url: str) -> None:
    assert CHROMIUM is not None
    recorded = answers.answers()
    with Editor(comfyui_url, CHROMIUM) as editor:
        different = {
            name: lines
            for name, graph in GRAPHS.items()
            if (lines := answers.differences(recorded[name], editor.export(graph)))
        }
    assert not different


@pytest.mark.timeout(600)
def test_every_template_of_the_server_becomes_the_editors_prompt(client: Client, comfyui: ComfyUI) -> None:
    if not comfyui.own:
        pytest.skip("the templates of a foreign server may be others")
    catalogue = answers.catalogue()
    expected = answers.digests()
    del expected[THE_GALLERYS_OWN]
    different = []
    for name, digest in expected.items():
        workflow = Workflow.load(client.templates.get(name), catalog=catalogue)
        if answers.digest(json.loads(json.dumps(workflow.to_api(), allow_nan=False))) != digest:
            different.append(name)
    assert not different
