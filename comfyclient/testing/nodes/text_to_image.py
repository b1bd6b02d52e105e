"""Stand-ins for models, so that the standard text-to-image workflow runs: the picture is made of clouds of colour.

It follows from the names of checkpoint and LoRAs, both texts, the seed, the size and the sampler's settings, and from
nothing else. They take what the real nodes take. They are made with ``@node``, and may serve as an example.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from comfyclient.testing.context import Context  # noqa: TC001 - @node reads annotations
from comfyclient.testing.decorator import Clip, Conditioning, Image, Latent, Model, Models, Vae, node

FACTOR = 8
"""Pixels of a picture, across, for each of a latent one."""

Sampler = Literal[
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "euler_ancestral_cfg_pp",
    "heun",
    "heunpp2",
    "exp_heun_2_x0",
    "exp_heun_2_x0_sde",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp",
    "dpmpp_sde",
    "dpmpp_sde_gpu",
    "dpmpp_2m",
    "dpmpp_2m_cfg_pp",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu",
    "dpmpp_2m_sde_heun",
    "dpmpp_2m_sde_heun_gpu",
    "dpmpp_3m_sde",
    "dpmpp_3m_sde_gpu",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "res_multistep",
    "res_multistep_cfg_pp",
    "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp",
    "gradient_estimation",
    "gradient_estimation_cfg_pp",
    "er_sde",
    "seeds_2",
    "seeds_3",
    "sa_solver",
    "sa_solver_pece",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
]
Scheduler = Literal[
    "simple",
    "sgm_uniform",
    "karras",
    "exponential",
    "ddim_uniform",
    "beta",
    "normal",
    "linear_quadratic",
    "kl_optimal",
]
Seed = Annotated[int, {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}]
Steps = Annotated[int, {"default": 20, "min": 1, "max": 10000}]
Guidance = Annotated[float, {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01}]
Part = Annotated[float, {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}]
Strength = Annotated[float, {"default": 1.0, "min": -100.0, "max": 100.0, "step": 0.01}]
Side = Annotated[int, {"default": 512, "min": 16, "max": 16384, "step": 8}]
Batch = Annotated[int, {"default": 1, "min": 1, "max": 4096}]
Text = Annotated[str, {"multiline": True, "dynamicPrompts": True}]


# ── loaders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@node(title="Load Checkpoint", category="model/loaders")
def CheckpointLoaderSimple(ckpt_name: Annotated[str, Models("checkpoints")]) -> tuple[Model, Clip, Vae]:
    """Loads nothing: a model is what it is called."""
    return [ckpt_name], [ckpt_name], ckpt_name


@node(title="Load VAE", category="model/loaders")
def VAELoader(vae_name: Annotated[str, Models("vae")]) -> Vae:
    """Loads nothing either."""
    return vae_name


@node(title="Load LoRA (Model and CLIP)", category="model/loaders")
def LoraLoader(
    model: Model,
    clip: Clip,
    lora_name: Annotated[str, Models("loras")],
    strength_model: Strength,
    strength_clip: Strength,
) -> tuple[Model, Clip]:
    """Changes model and text encoder, by its name and strength."""
    return [*model, lora_name, strength_model], [*clip, lora_name, strength_clip]


# ── sampling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@node(title="CLIP Text Encode (Prompt)", category="model/conditioning")
def CLIPTextEncode(text: Text, clip: Clip) -> Conditioning:
    """Keeps the text, and who read it."""
    return [*clip, text]


@node(title="Empty Latent Image", category="model/latent")
def EmptyLatentImage(width: Side, height: Side, batch_size: Batch) -> Latent:
    """Nothing yet."""
    import numpy as np  # noqa: PLC0415 - the server starts without it, and faster

    return {"samples": np.zeros((batch_size, 4, height // FACTOR, width // FACTOR), np.float32)}


@node(category="model/sampling")
def KSampler(  # noqa: PLR0917 - the inputs of the real one
    model: Model,
    seed: Seed,
    steps: Steps,
    cfg: Guidance,
    sampler_name: Sampler,
    scheduler: Scheduler,
    positive: Conditioning,
    negative: Conditioning,
    latent_image: Latent,
    denoise: Part,
    context: Context,
) -> Latent:
    """Goes from noise to clouds, step by step, and shows how far it is."""
    import numpy as np  # noqa: PLC0415

    samples = latent_image["samples"]
    noise = _random(seed).standard_normal(samples.shape, np.float32)
    clouds = _clouds([model, positive, negative, seed, cfg, sampler_name, scheduler], samples.shape)
    start = (1 - denoise) * samples + denoise * noise
    current = start
    for step in range(1, steps + 1):
        part = step / steps
        current = (1 - part) * start + part * ((1 - denoise) * samples + denoise * clouds)
        preview = None if context.preview_method == "none" else _colors(current[:1])
        context.progress(step, steps, preview=preview, max_size=512)
    return {**latent_image, "samples": current}


@node(title="VAE Decode", category="model/latent")
def VAEDecode(samples: Latent, vae: Vae) -> Image:  # noqa: ARG001 - which of them makes no difference
    """Enlarges the clouds to a picture."""
    import numpy as np  # noqa: PLC0415

    return np.stack([_enlarged(each) for each in _colors(samples["samples"])])


@node(title="VAE Encode", category="model/latent")
def VAEEncode(pixels: Image, vae: Vae) -> Latent:  # noqa: ARG001 - as above
    """Shrinks a picture to clouds: ``VAEDecode`` would paint them in its colours."""
    import numpy as np  # noqa: PLC0415

    colors = np.stack([_shrunk(each) for each in pixels])[..., :3].clip(0.01, 0.99)
    mixed = np.moveaxis(np.log(colors / (1 - colors)), -1, 1)
    return {"samples": np.concatenate([mixed, np.zeros_like(mixed[:, :1])], 1, dtype=np.float32)}


def _random(*what: Any) -> Any:
    """Random numbers that follow from this."""
    import numpy as np  # noqa: PLC0415

    digest = hashlib.sha256(json.dumps(what).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _clouds(what: Any, shape: tuple[int, ...]) -> Any:
    """A few random numbers, and what is between them."""
    import numpy as np  # noqa: PLC0415
    from PIL import Image as Picture  # noqa: PLC0415

    coarse = _random(what).standard_normal((*shape[:2], 4, 4)).astype(np.float32)
    size = (shape[3], shape[2])
    fine = [
        [np.asarray(Picture.fromarray(channel).resize(size, Picture.Resampling.BICUBIC)) for channel in each]
        for each in coarse
    ]
    return 2 * np.array(fine, np.float32)


def _colors(samples: Any) -> Any:
    """Latent pictures as small ones in colour, between 0 and 1."""
    import numpy as np  # noqa: PLC0415

    mixed = np.moveaxis(samples[:, :3] + samples[:, 3:] / 2, 1, -1)
    return (1 / (1 + np.exp(-mixed))).astype(np.float32)


def _enlarged(colors: Any) -> Any:
    return _resized(colors, colors.shape[1] * FACTOR, colors.shape[0] * FACTOR)


def _shrunk(colors: Any) -> Any:
    return _resized(colors, max(colors.shape[1] // FACTOR, 1), max(colors.shape[0] // FACTOR, 1))


def _resized(colors: Any, width: int, height: int) -> Any:
    import numpy as np  # noqa: PLC0415
    from PIL import Image as Picture  # noqa: PLC0415

    channels = [
        Picture.fromarray(channel).resize((width, height), Picture.Resampling.BILINEAR)
        for channel in np.moveaxis(colors, -1, 0)
    ]
    return np.stack([np.asarray(channel) for channel in channels], -1)


NODES = (
    CheckpointLoaderSimple,
    VAELoader,
    LoraLoader,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    VAEDecode,
    VAEEncode,
)
