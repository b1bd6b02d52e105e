"""Nodes in ComfyUI's own form that import nothing of it, so that the embedded server runs this very file too.

Those whose names begin with Proto are the ones that the answers in tests/captures/prompt_errors.json were captured
with, as far as validating them goes.
"""

from typing import Any

KINDS = ["all", "nan", "bytes", "tensor", "empty", "empty_lists", "scalar", "mixed_keys", "surrogate", "string_3d"]


class _AnyType(str):
    """A type name that no other differs from, by which ComfyUI knows that anything may be linked."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


ANY = _AnyType("*")


class _Node:
    CATEGORY = "comfyclient tests/captured"
    FUNCTION = "run"
    OUTPUT_NODE = True
    RETURN_TYPES: tuple[str, ...] = ("INT",)
    INPUTS: dict[str, Any] = {"required": {}}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return cls.INPUTS

    def run(self, **inputs: Any) -> Any:
        return {"ui": {name: [given] for name, given in inputs.items()}, "result": (inputs.get("value"),)}


class ProtoPassInt(_Node):
    """Shows what it is given."""

    INPUTS = {
        "required": {"value": ("INT", {"default": 0})},
        "optional": {
            "str": ("STRING", {"default": ""}),
            "flag": ("BOOLEAN", {"default": False}),
            "f": ("FLOAT", {"default": 0.0, "min": 0.0, "max": 1.0}),
        },
    }


class ProtoUI(_Node):
    """Has a short list to choose from."""

    RETURN_TYPES = ()
    INPUTS = {"required": {"kind": (KINDS,), "nonce": ("INT", {"default": 0})}, "optional": {"any": (ANY, {})}}


class ProtoShow(_Node):
    """Takes anything."""

    RETURN_TYPES = ()
    INPUTS = {"required": {"any": (ANY, {"forceInput": True})}}


class ProtoValidate(_Node):
    """Looks at one of its inputs itself."""

    INPUTS = {"required": {"a": ("INT", {"default": 1, "min": 0, "max": 5}), "b": ("STRING", {"default": ""})}}

    @classmethod
    def VALIDATE_INPUTS(cls, b: str) -> Any:
        if b == "raise":
            msg = "validate raised"
            raise RuntimeError(msg)
        return {"false": False, "none": None, "ok": True}.get(b, "b must be ok")


class ProtoInputs(_Node):
    """Has choices of every form."""

    INPUTS = {
        "required": {
            "combo": (["a", "b", 3],),
            "combo2": ("COMBO", {"options": ["x", "y"], "default": "y"}),
            "multi": ("COMBO", {"options": ["x", "y", "z"], "multiselect": True}),
        }
    }


class ProtoBroken(_Node):
    """Cannot say what it takes."""

    OUTPUT_NODE = False

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        msg = "INPUT_TYPES broken"
        raise RuntimeError(msg)


class ProtoTinyModel(_Node):
    """Is linked to a sampler, and never run."""

    OUTPUT_NODE = False
    RETURN_TYPES = ("MODEL", "CONDITIONING", "CONDITIONING")


class TestLazy(_Node):
    """Asks for one of its inputs only."""

    FUNCTION = "choose"
    OUTPUT_NODE = False
    RETURN_TYPES = (ANY,)
    INPUTS = {
        "required": {"first": ("BOOLEAN", {"default": True})},
        "optional": {"a": (ANY, {"lazy": True}), "b": (ANY, {"lazy": True})},
    }

    def check_lazy_status(self, *, first: bool, a: Any = None, b: Any = None) -> list[str]:
        return ["a"] if first and a is None else ["b"] if not first and b is None else []

    def choose(self, *, first: bool, a: Any = None, b: Any = None) -> tuple[Any]:
        return (a if first else b,)


class TestGather(_Node):
    """Takes all items of a list at once."""

    FUNCTION = "gather"
    INPUT_IS_LIST = True
    INPUTS = {"required": {"value": ("INT", {})}}

    def gather(self, value: list[int]) -> dict[str, Any]:
        return {"ui": {"sum": [sum(value)], "count": [len(value)]}, "result": (sum(value),)}


class TestHidden(_Node):
    """Shows what it is told without being linked to it."""

    RETURN_TYPES = ()
    INPUTS = {
        "required": {"link": (ANY, {"rawLink": True})},
        "hidden": {
            "prompt": "PROMPT",
            "graph": "DYNPROMPT",
            "info": "EXTRA_PNGINFO",
            "me": "UNIQUE_ID",
            "key": "API_KEY_COMFY_ORG",
            "token": "AUTH_TOKEN_COMFY_ORG",
            "other": ("INT", {"default": 3}),
        },
    }

    def run(self, **inputs: Any) -> dict[str, Any]:
        graph = inputs.pop("graph")
        myself = graph.get_node(inputs["me"])["class_type"]
        known = [myself, graph.has_node("nobody"), graph.get_original_prompt() == inputs["prompt"]]
        return {"ui": {"told": [inputs], "known": known}}


class TestIntermediate(_Node):
    """Shows what passes through, though it is no output."""

    OUTPUT_NODE = False
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = (ANY,)
    INPUTS = {"required": {"value": (ANY, {})}}


class TestChanged(_Node):
    """Says itself whether it would give something new."""

    OUTPUT_NODE = False
    INPUTS = {"required": {"value": ("INT", {"default": 0}), "changed": ("STRING", {"default": ""})}}

    @classmethod
    def IS_CHANGED(cls, value: int, changed: str) -> Any:
        if changed == "raise":
            raise ValueError(value)
        return {"always": float("nan"), "never": 1}.get(changed, changed)


NODES: dict[str, Any] = {cls.__name__: cls for cls in _Node.__subclasses__()}
