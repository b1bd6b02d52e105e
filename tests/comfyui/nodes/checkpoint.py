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
# The work is tiny, and threads that wait for each other make it thirty times as slow on a busy machine.
torch.set_num_threads(1)


def _noise(shape: tuple[int, ...], seed: int) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class _Denoiser(torch.nn.Module):  # type: ignore[misc]  # torch is not installed beside our tools
    """What KSampler calls at every step: it tells the noise in a latent picture from the clouds."""

    def __init__(self, **_: Any) -> None:
        super().__init__()
        self.dtype = torch.float32
        self.of_picture = torch.nn.Parameter(_noise((4, 4, 1, 1), 1))
        self.of_text = torch.nn.Parameter(_noise((4, WIDTH), 2) / WIDTH**0.5)
        kept = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)
        self.sigmas = torch.nn.Parameter(((1 - kept) / kept) ** 0.5)

    def forward(self, x: Any, timesteps: Any, context: Any, **_: Any) -> Any:
        sigma = self.sigmas[timesteps.long()][:, None, None, None]
        coarse = torch.nn.functional.adaptive_avg_pool2d(x, (4, 4)) * x.shape[-1] / 4
        coarse = torch.nn.functional.conv2d(torch.tanh(coarse), self.of_picture)
        clouds = torch.nn.functional.interpolate(coarse, x.shape[-2:], mode="bicubic", align_corners=True)
        tint = (context.mean(1) @ self.of_text.T)[..., None, None]
        return (x * (1 + sigma**2) ** 0.5 - torch.tanh(clouds + tint)) / sigma


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
        return torch.sigmoid((large[:, :3] + large[:, 3:]) / 3).movedim(1, -1)


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
