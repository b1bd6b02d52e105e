"""``Workflow.models``: which model files a workflow names."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient import NeededModel, Workflow
from tests.captures import catalog
from tests.workflows import node


def with_loras(*names: str) -> dict[str, Any]:
    """The catalogue of a server that has these."""
    entry = catalog()["LoraLoader"]
    required = {**entry["input"]["required"], "lora_name": [list(names), {}]}
    return {**catalog(), "LoraLoader": {**entry, "input": {**entry["input"], "required": required}}}


def needed(graph: dict[str, Any], server: dict[str, Any]) -> list[tuple[str, str, bool | None, tuple[str, ...]]]:
    return [(each.node_id, each.name, each.is_there, each.nearest) for each in Workflow(graph).models(server)]


def test_a_model_is_there_or_not() -> None:
    graph = {"1": node("LoraLoader", "Foxes", lora_name="style/foxes.safetensors", strength_model=1.0)}
    [model] = Workflow(graph).models(with_loras("style/foxes.safetensors"))
    there = True
    assert model == NeededModel("style/foxes.safetensors", there, "1", "Foxes", "LoraLoader", "lora_name")
    server = with_loras("foxes.safetensors", "q.gguf")
    assert needed(graph, server) == [("1", "style/foxes.safetensors", False, ("foxes.safetensors",))]
    assert needed(graph, with_loras()) == [("1", "style/foxes.safetensors", False, ())]


def test_a_name_without_an_ending_is_a_model_where_the_others_are() -> None:
    graph = {"1": node("LoraLoader", lora_name="foxes")}
    assert needed(graph, with_loras("owls.safetensors")) == [("1", "foxes", False, ())]
    assert needed(graph, with_loras("None", "foxes")) == []


def saved(**properties: Any) -> dict[str, Any]:
    """What the editor saves: a loader in a subgraph."""
    loader = {
        "id": 1,
        "type": "LoraLoader",
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": properties,
        "widgets_values": ["style/foxes.safetensors", 1.0, 1.0],
    }
    inner = {"id": "8c1b", "name": "Inside", "nodes": [loader], "links": [], "inputs": [], "outputs": []}
    outer = {**loader, "id": 2, "type": "8c1b", "properties": {}, "widgets_values": []}
    return {"nodes": [outer], "links": [], "definitions": {"subgraphs": [inner]}, "version": 0.4}


def test_the_editors_file_tells_where_a_model_is_to_be_had() -> None:
    source = {"name": "foxes.safetensors", "url": "https://models.example/foxes.safetensors", "directory": "loras"}
    [model] = Workflow(saved(models=[source]), catalog=with_loras()).models(with_loras())
    assert (model.node_id, model.is_there) == ("2:1", False)
    assert (model.folder, model.url) == ("loras", source["url"])


def test_of_files_of_one_name_the_nodes_own_counts() -> None:
    """Many models are called like this one, each in its own folder."""
    name = "diffusion_pytorch_model.safetensors"
    loaders = [
        {
            "id": number,
            "type": class_type,
            "properties": {"models": [{"name": name, "url": f"https://models.example/{folder}", "directory": folder}]},
            "widgets_values": [name],
        }
        for number, (class_type, folder) in enumerate([("VAELoader", "vae"), ("ControlNetLoader", "controlnet")])
    ]
    workflow = Workflow({"nodes": loaders, "links": [], "version": 0.4}, catalog=catalog())
    assert [model.folder for model in workflow.models(catalog())] == ["vae", "controlnet"]


def test_the_editors_file_tells_of_models_as_a_whole() -> None:
    whole = {"name": "old/foxes.safetensors", "url": "https://models.example/whole", "directory": "loras"}
    document = {**saved(), "models": [None, {"url": "https://models.example/nameless"}, whole, {**whole, "url": "no"}]}
    [model] = Workflow(document, catalog=with_loras()).models(with_loras())
    assert (model.folder, model.url) == ("loras", "https://models.example/whole")


@pytest.mark.parametrize(
    "models",
    [
        None,
        "nonsense",
        [None, "foxes.safetensors", {}, {"name": 7}],
        [{"name": "foxes.safetensors", "url": 7, "directory": ["loras"]}],
        [{"name": "owls.safetensors", "url": "https://models.example/owls", "directory": "loras"}],
    ],
)
def test_the_editors_file_may_tell_anything(models: Any) -> None:
    [model] = Workflow(saved(models=models), catalog=with_loras()).models(with_loras())
    assert (model.folder, model.url) == (None, None)


def test_images_and_other_choices_are_none() -> None:
    graph = {
        "1": node("LoadImage", image="fox.png"),
        "2": node("KSampler", sampler_name="euler", seed=1),
        "3": node("SaveImage", images=["1", 0], filename_prefix="fox.safetensors"),
    }
    assert needed(graph, catalog()) == []


def test_embeddings_in_texts_and_files_of_missing_classes_are_not_known() -> None:
    graph = {
        "1": node("CLIPTextEncode", text="a fox, (embedding:foxes:1.2), embedding:old/owls.pt"),
        "2": node("NoSuchLoader", gguf_name="fox.gguf", other="text"),
    }
    assert needed(graph, catalog()) == [
        ("1", "foxes", None, ()),
        ("1", "old/owls.pt", None, ()),
        ("2", "fox.gguf", None, ()),
    ]
