"""The directories of an embedded server, and the names that nodes find their files by."""

from __future__ import annotations

import os
import shutil
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS = ("output", "input", "temp")

MODEL_FOLDERS = (
    "checkpoints",
    "configs",
    "loras",
    "vae",
    "text_encoders",
    "diffusion_models",
    "clip_vision",
    "style_models",
    "embeddings",
    "diffusers",
    "vae_approx",
    "controlnet",
    "gligen",
    "upscale_models",
    "custom_nodes",
    "hypernetworks",
    "photomaker",
    "classifiers",
    "model_patches",
    "audio_encoders",
)


class Saving(NamedTuple):
    """Where a node saves its files."""

    directory: Path
    filename: str
    counter: int
    subfolder: str


class Folders:
    """Everything below one directory, which goes with them: when it is removed, or when the program ends.

    Args:
        root: That directory.
        models: Names of models by folder, which exist as empty files.
    """

    def __init__(self, root: Path, models: Mapping[str, Iterable[str]]) -> None:
        self.root = Path(os.path.realpath(root))
        self.remove = weakref.finalize(self, shutil.rmtree, self.root, ignore_errors=True)
        for name in (*KINDS, "user", "models"):
            (self.root / name).mkdir()
        for folder, names in models.items():
            (self.root / "models" / folder).mkdir(parents=True)
            for name in names:
                path = self.root / "models" / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    def directory(self, kind: str) -> Path:
        """The one for input, output or temp.

        Raises:
            KeyError: There is none of that name.
        """
        if kind not in KINDS:
            raise KeyError(kind)
        return self.root / kind

    @property
    def user(self) -> Path:
        """What the editor keeps."""
        return self.root / "user" / "default"

    def wipe_temp(self) -> None:
        """As every start of a server does."""
        shutil.rmtree(self.root / "temp", ignore_errors=True)
        (self.root / "temp").mkdir()

    # ── models ───────────────────────────────────────────────────────────────────────────────────────────────────

    def model_folders(self) -> dict[str, Path]:
        """Where models are, by the folder's name; an empty one need not exist, since every directory costs time."""
        more = sorted(path.name for path in (self.root / "models").iterdir() if path.is_dir())
        return {name: self.root / "models" / name for name in dict.fromkeys((*MODEL_FOLDERS, *more))}

    def models(self, folder: str) -> list[str]:
        """The names of the models there."""
        directory = self.root / "models" / folder
        return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def annotated(self, name: str) -> tuple[str, Path | None]:
        """A name without its `` [output]`` and the like, and the directory which that means."""
        for kind in KINDS:
            if name.endswith(f"[{kind}]"):
                return name[: -len(kind) - 3], self.directory(kind)
        return name, None

    def find(self, name: str) -> Path:
        """The file that a node's input names, in the input directory unless it says otherwise.

        Raises:
            ValueError: It is outside.
        """
        name, directory = self.annotated(name)
        directory = directory or self.directory("input")
        path = Path(os.path.abspath(directory / name))  # noqa: PTH100 - resolve() would follow links
        if not path.is_relative_to(directory):
            raise ValueError(f"Invalid file path: {name!r}")
        return path

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        try:
            return self.find(name).exists()
        except ValueError:
            return False

    def saving(self, prefix: str, kind: str, width: int = 0, height: int = 0) -> Saving:
        """Where to save under this prefix, and the first number that is free there.

        Raises:
            Exception: It is outside.
        """
        for name, value in _variables(width, height).items():
            prefix = prefix.replace(f"%{name}%", value)
        subfolder, filename = os.path.split(os.path.normpath(prefix))
        root = self.directory(kind)
        directory = Path(os.path.abspath(root / subfolder))  # noqa: PTH100
        if not directory.is_relative_to(root):
            raise Exception(  # noqa: TRY002 - its type is what clients see
                "**** ERROR: Saving image outside the output folder is not allowed."
                f"\n full_output_folder: {directory}\n         output_dir: {root}"
            )
        directory.mkdir(parents=True, exist_ok=True)
        taken = [_number(path.name, filename) for path in directory.iterdir()]
        return Saving(directory, filename, max(taken, default=0) + 1, subfolder)


def _variables(width: int, height: int) -> dict[str, str]:
    now = time.localtime()
    return {
        "width": str(width),
        "height": str(height),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }


def _number(name: str, prefix: str) -> int:
    """The counter in a file's name; 0 if it was not saved under this prefix."""
    if not name.startswith(f"{prefix}_"):
        return 0
    digits: Any = name[len(prefix) + 1 :].split(".", maxsplit=1)[0].split("_", maxsplit=1)[0]
    try:
        return int(digits)
    except ValueError:
        return 0
