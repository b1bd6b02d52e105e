"""A model of a few random weights, so that core nodes such as KSampler have something to work with.

It stands where CheckpointLoaderSimple would: CLIPTextEncode, KSampler (with previews) and VAEDecode take what it gives.
The picture, soft clouds of colour, follows from text, seed and size, and from nothing else.
"""

import hashlib
from typing import Any

import torch
from comfy.model_base import BaseModel, ModelType
from comfy.model_patcher import ModelPatcher
from comfy.supported_models import SD15

WIDTH = 768  # of what a text becomes
CPU = torch.device("cpu")


def _noise(shape: tuple[int, ...], seed: int) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class _Denoiser(torch.nn.Module):  # type: ignore[misc]  # torch is not installed beside our tools
    """What KSampler calls at every step: it tells how noisy a latent picture is."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.of_picture = torch.nn.Parameter(_noise((4, 4, 1, 1), 1))
        self.of_text = torch.nn.Parameter(_noise((4, WIDTH), 2) / WIDTH**0.5)

    def forward(self, x: Any, timesteps: Any, context: Any, **_: Any) -> Any:
        coarse = torch.nn.functional.adaptive_avg_pool2d(x, (4, 4))
        clouds = torch.nn.functional.interpolate(coarse, x.shape[-2:], mode="bicubic", align_corners=True)
        clouds = torch.nn.functional.conv2d(clouds, self.of_picture)
        tint = (context.mean(1) @ self.of_text.T)[..., None, None]
        return x - 0.2 * torch.tanh(2 * clouds + tint)


class _TextEncoder:
    """As much of a CLIP as CLIPTextEncode uses."""

    def tokenize(self, text: str) -> str:
        return text

    def encode_from_tokens_scheduled(self, text: str) -> list[Any]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")
        return [[_noise((1, 77, WIDTH), seed), {"pooled_output": torch.zeros(1, WIDTH)}]]


class _Decoder:
    """As much of a VAE as VAEDecode uses."""

    def decode(self, latent: Any) -> Any:
        large = torch.nn.functional.interpolate(latent.float(), scale_factor=8, mode="bilinear")
        return torch.sigmoid(large[:, :3] + large[:, 3:]).movedim(1, -1)


class TestCheckpoint:
    """Random weights; the name of a file is accepted and not looked at."""

    CATEGORY = "comfyclient tests"
    FUNCTION = "run"
    RETURN_TYPES = ("MODEL", "CLIP", "VAE")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {}, "optional": {"ckpt_name": ("STRING", {"default": ""})}}

    def run(self, ckpt_name: str = "") -> tuple[Any, Any, Any]:
        config = SD15({"image_model": None, "adm_in_channels": None, "in_channels": 4, "context_dim": WIDTH})
        config.set_inference_dtype(torch.float32, None)
        model = BaseModel(config, model_type=ModelType.EPS, unet_model=_Denoiser)
        return ModelPatcher(model, load_device=CPU, offload_device=CPU), _TextEncoder(), _Decoder()
