"""The index of official templates, and subgraphs."""

from __future__ import annotations

from comfyclient._convert import structure
from comfyclient.types import Subgraph, TemplateCategory, TemplateInfo
from tests.captures import capture

INDEX = capture("templates_index")


def test_the_recorded_index_fits_without_a_rest() -> None:
    found = structure(INDEX, tuple[TemplateCategory, ...])

    assert not any(category.extra for category in found)
    for category, raw in zip(found, INDEX, strict=True):
        assert (category.title, category.isEssential) == (raw["title"], raw.get("isEssential", False))
        for template, entry in zip(category.templates, raw["templates"], strict=True):
            assert template.extra == {}
            for key, value in entry.items():
                field = getattr(template, key)
                assert value == (list(field) if isinstance(field, tuple) else field)


def test_an_index_of_early_2025() -> None:
    old = {
        "moduleName": "default",
        "title": "Basics",
        "type": "image",
        "templates": [{"name": "default", "mediaType": "image", "mediaSubtype": "webp", "description": "A start."}],
    }
    (category,) = structure([old], tuple[TemplateCategory, ...])

    assert category.templates == (TemplateInfo("default", None, "A start.", mediaType="image", mediaSubtype="webp"),)


def test_what_a_repr_leaves_out() -> None:
    template = structure({"name": "a", "io": {"inputs": ["b"]}, "logos": [1], "thumbnail": ["c"]}, TemplateInfo)

    assert "inputs" not in repr(template)
    assert "nodes" not in repr(Subgraph("a", data={"nodes": []}))
