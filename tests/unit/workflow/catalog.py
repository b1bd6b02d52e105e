"""A small catalogue of nodes of our own, in the shape of ``/object_info``."""

from __future__ import annotations

from typing import Any


def node(*outputs: str, required: Any = None, optional: Any = None, **more: Any) -> dict[str, Any]:
    groups = {"required": required or {}, "optional": optional or {}}
    return {
        "input": groups,
        "input_order": {name: list(group) for name, group in groups.items()},
        "output": list(outputs),
        "output_name": list(outputs),
        "output_node": False,
        **more,
    }


SEED = ["INT", {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}]

CATALOG: dict[str, Any] = {
    "Load": node("MODEL", "CLIP", required={"name": [["a.safetensors", "b.safetensors"]]}),
    "Lora": node(
        *("MODEL", "CLIP"),
        required={"model": ["MODEL"], "clip": ["CLIP"], "strength": ["FLOAT", {"default": 1.0, "step": 0.01}]},
    ),
    "Text": node("TEXTS", required={"text": ["STRING", {"multiline": True, "dynamicPrompts": True}], "clip": ["CLIP"]}),
    "Sample": node(
        "IMAGE",
        required={
            "seed": SEED,
            "steps": ["INT", {"default": 20, "min": 1, "max": 100}],
            "model": ["MODEL"],
            "positive": ["TEXTS"],
        },
        optional={"small_seed": ["INT", {"min": -5, "max": 3, "control_after_generate": True}], "mask": ["MASK"]},
    ),
    "Picture": node("IMAGE", "MASK", required={"image": [["a.png"], {"image_upload": True}]}),
    "Sum": node(
        "INT",
        required={
            "values": [
                "COMFY_AUTOGROW_V3",
                {
                    "template": {
                        "input": {"required": {"value": ["INT", {"forceInput": True}]}},
                        "prefix": "v",
                        "min": 1,
                    }
                },
            ]
        },
    ),
    "Choice": node(
        "IMAGE",
        required={
            "image": ["IMAGE"],
            "how": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "options": [
                        {"key": "none", "inputs": {"required": {}}},
                        {"key": "scale", "inputs": {"required": {"width": ["INT", {"default": 8}], "seed": SEED}}},
                    ]
                },
            ],
        },
    ),
    "Save": node(required={"images": ["IMAGE"], "filename_prefix": ["STRING", {"default": "x"}]}, output_node=True),
}
