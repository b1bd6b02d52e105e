"""A large workflow against the catalogue, beside ``json.loads`` of the workflow's bytes."""

from __future__ import annotations

import gc
import json
import time
from typing import TYPE_CHECKING, Any

from comfyclient.builder import Builder, to_python
from tests.benchmarks.measure import SECONDS
from tests.captures import catalog

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Workflow
    from tests.benchmarks.measure import Measured

_BRANCHES = 12  # of 15 nodes each: as many as the largest of the official templates have, and as many bytes


def json_loads(times: int) -> Measured:
    """The base: ``json.loads``."""
    body = json.dumps(large().to_api()).encode()
    return _least(lambda: json.loads(body), times)


def validated(times: int) -> Measured:
    """``Workflow.validate`` with a catalogue that is parsed already."""
    workflow, nodes = large(), catalog()
    return _least(lambda: workflow.validate(nodes), times)


def written(times: int) -> Measured:
    """``to_python``, which builds the workflow meanwhile."""
    workflow, nodes = large(), catalog()
    return _least(lambda: to_python(workflow, nodes), times)


def large() -> Workflow:
    """A workflow of many branches."""
    g = Builder(catalog())
    text = "a fox in the snow, golden hour, detailed fur, 85 mm, shallow depth of field, " * 4
    for number in range(_BRANCHES):
        model, _, vae = g.ImageOnlyCheckpointLoader(ckpt_name="ck.safetensors")
        clip = g.CLIPLoader(clip_name="clip.safetensors", type="sd3", _check=False)
        positive = g.CLIPTextEncode(text=text, clip=clip)
        negative = g.ConditioningZeroOut(conditioning=positive)
        image = g.LoadImage(image=f"photo {number}.png").IMAGE
        scaled = g.ResizeImageMaskNode(input=image, resize_type="scale longer dimension", resize_type__longer_size=1024)
        latent = g.VAEEncode(pixels=scaled, vae=vae)
        shifted = g.ModelSamplingSD3(model=model, shift=3.0)
        sampled = g.KSampler(
            model=shifted, positive=positive, negative=negative, latent_image=latent, seed=number, denoise=0.6
        )
        decoded = g.VAEDecode(samples=sampled, vae=vae)
        both = g.BatchImagesNode(images=[decoded, g.ImageInvert(image=decoded)])
        g.SaveImage(images=both, filename_prefix=f"branch {number}")
        g.PreviewImage(images=g.ImageScaleBy(image=decoded, upscale_method="lanczos", scale_by=0.5))
    return g.workflow()


def _least(do: Callable[[], Any], times: int) -> Measured:
    """The processor's time of the fastest one, since whatever else the machine does only adds to it."""
    took = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        do()
        took.append(time.process_time() - start)
    return {SECONDS: min(took)}
