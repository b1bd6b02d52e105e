"""The nodes that the captures of POST /prompt were made with, as far as validating them goes."""
# ruff: noqa: N802 - ComfyUI chose INPUT_TYPES and its like

from __future__ import annotations

from typing import Any, ClassVar

from comfyclient.testing import current

KINDS = ["all", "nan", "bytes", "tensor", "empty", "empty_lists", "scalar", "mixed_keys", "surrogate", "string_3d"]


class _AnyType(str):
    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


ANY = _AnyType("*")


class _Node:
    CATEGORY = "proto"
    FUNCTION = "run"
    RETURN_TYPES: ClassVar[tuple[Any, ...]] = ("INT",)
    INPUTS: ClassVar[dict[str, Any]] = {"required": {}}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return cls.INPUTS

    def run(self, **inputs: Any) -> Any:
        value = inputs.get("value")
        return {"ui": {name: [given] for name, given in inputs.items()}, "result": (value,)}


class ProtoPassInt(_Node):
    OUTPUT_NODE = True
    INPUTS: ClassVar[dict[str, Any]] = {
        "required": {"value": ("INT", {"default": 0})},
        "optional": {
            "str": ("STRING", {"default": ""}),
            "flag": ("BOOLEAN", {"default": False}),
            "f": ("FLOAT", {"default": 0.0, "min": 0.0, "max": 1.0}),
        },
    }


class ProtoUI(_Node):
    OUTPUT_NODE = True
    RETURN_TYPES = ()
    INPUTS: ClassVar[dict[str, Any]] = {
        "required": {"kind": (KINDS,), "nonce": ("INT", {"default": 0})},
        "optional": {"any": (ANY, {})},
    }


class ProtoShow(_Node):
    OUTPUT_NODE = True
    RETURN_TYPES = ()
    INPUTS: ClassVar[dict[str, Any]] = {"required": {"any": (ANY, {"forceInput": True})}}


class ProtoValidate(_Node):
    OUTPUT_NODE = True
    INPUTS: ClassVar[dict[str, Any]] = {
        "required": {"a": ("INT", {"default": 1, "min": 0, "max": 5}), "b": ("STRING", {"default": ""})}
    }

    @classmethod
    def VALIDATE_INPUTS(cls, b: str) -> Any:
        if b == "raise":
            raise RuntimeError("validate raised")
        return {"false": False, "none": None, "ok": True}.get(b, "b must be ok")


class ProtoInputs(_Node):
    OUTPUT_NODE = True
    INPUTS: ClassVar[dict[str, Any]] = {
        "required": {
            "combo": (["a", "b", 3],),
            "combo2": ("COMBO", {"options": ["x", "y"], "default": "y"}),
            "multi": ("COMBO", {"options": ["x", "y", "z"], "multiselect": True}),
        }
    }


class ProtoBroken(_Node):
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        raise RuntimeError("INPUT_TYPES broken")


class ProtoTinyModel(_Node):
    RETURN_TYPES = ("MODEL", "CONDITIONING", "CONDITIONING")


class SaveLatent(_Node):
    OUTPUT_NODE = True
    RETURN_TYPES = ("LATENT",)
    INPUTS: ClassVar[dict[str, Any]] = {
        "required": {"samples": ("LATENT",), "filename_prefix": ("STRING", {"default": "latents/ComfyUI"})}
    }


class ImageInvert(_Node):
    RETURN_TYPES = ("IMAGE",)
    INPUTS: ClassVar[dict[str, Any]] = {"required": {"image": ("IMAGE",)}}


class LoadImage(_Node):
    RETURN_TYPES = ("IMAGE", "MASK")
    INPUTS: ClassVar[dict[str, Any]] = {"required": {"image": (["none.png"], {"image_upload": True})}}

    @classmethod
    def VALIDATE_INPUTS(cls, image: str) -> Any:
        return True if current().folders.exists(image) else f"Invalid image file: {image}"


NODES = _Node.__subclasses__()
