"""Workflows in files of every kind, as ComfyUI 0.30.0 and others wrote them, whole or damaged."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.media import Pieces, Reader, format_of
from comfyclient.workflow.media import reader as reader_module
from comfyclient.workflow.source import read
from tests.captures import HERE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMFYUIS = HERE / "0.30.0" / "media"
SENT = json.loads((COMFYUIS / "sent.json").read_bytes())
EDITOR = json.loads((COMFYUIS / "editor.json").read_bytes())
# Of ffmpeg and Pillow, in ways that custom nodes and older ComfyUIs have used.
OTHERS = {path.name: path for path in (HERE / "media").iterdir()}
ALL = [*(COMFYUIS / name for name in SENT), *OTHERS.values()]

GRAPH = {"1": {"class_type": "X", "inputs": {"t": "é\0]]>=;#\\"}, "_meta": {}}}
SENT_ALONG = {"2": {"class_type": "SentAlong", "inputs": {}, "_meta": {}}}
PROMPT, WORKFLOW = json.dumps(GRAPH), json.dumps(SENT_ALONG)
BOTH = json.dumps({"prompt": PROMPT, "workflow": SENT_ALONG})


class Dribble:
    """A file object with no more than ``read``, which gives little at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 7))


class Counting(io.BytesIO):
    """Knows how much of it was read."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


# --- real files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SENT)
def test_files_of_comfyui(name: str) -> None:
    path = COMFYUIS / name
    data = path.read_bytes()
    with path.open("rb") as file:
        dribble: Any = Dribble(data)
        for source in (path, str(path), data, bytearray(data), file, dribble):
            assert Workflow.load(source).to_api() == SENT[name]
    assert read(path, prefer="workflow") == (EDITOR, f"{path}: the workflow in it")


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_others(name: str) -> None:
    dribble: Any = Dribble(OTHERS[name].read_bytes())
    for source in (OTHERS[name], dribble):
        assert Workflow.load(source).to_api() == GRAPH
    assert read(OTHERS[name], prefer="workflow")[0] == {"nodes": [], "links": []}


# --- made by hand -------------------------------------------------------------------------------------------


def saved(kind: str, **options: Any) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (16, 16)).save(sink, kind, **options)
    return sink.getvalue()


def exif(tags: dict[int, Any], inner: dict[int, Any] | None = None) -> Image.Exif:
    block = Image.Exif()
    block.update(tags)
    if inner:
        block.get_ifd(0x8769).update(inner)
    return block


def png_texts(*, compressed: bool, international: bool) -> bytes:
    info = PngImagePlugin.PngInfo()
    add = info.add_itxt if international else info.add_text
    add("prompt", PROMPT, zip=compressed)
    add("Workflow", WORKFLOW, zip=compressed)
    return saved("PNG", pnginfo=info)


def unicode_comment(text: str, encoding: str) -> dict[int, Any]:
    return {0x9286: b"UNICODE\0" + text.encode(encoding)}


def box(kind: bytes, *contents: bytes, large: bool = False) -> bytes:
    content = b"".join(contents)
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


def own_key(key: bytes, text: str) -> bytes:
    value = box(b"data", struct.pack(">II", 1, 0), text.encode())
    return box(b"----", box(b"mean", b"\0\0\0\0com.apple.iTunes"), box(b"name", b"\0\0\0\0", key), value)


def vorbis(*texts: str) -> bytes:
    parts = [b"somebody", struct.pack("<I", len(texts)), *(text.encode() for text in texts)]
    return b"".join(part if len(part) == 4 else struct.pack("<I", len(part)) + part for part in parts)


def page(kind: int, pieces: list[bytes], stream: int = 1) -> bytes:
    """A page of Ogg, of packets that end on it, or of one that goes on if its pieces are full."""
    table = b"".join(bytes([255] * (len(piece) // 255)) + bytes([len(piece) % 255]) for piece in pieces)
    return struct.pack("<4sBBqIIIB", b"OggS", 0, kind, 0, stream, 0, 0, len(table)) + table + b"".join(pieces)


def ogg(comments: bytes) -> bytes:
    long = comments + bytes(255 - len(comments) % 255)
    table = bytes([255] * (len(long) // 255))
    spread = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, 0, 1, 0, 0, len(table)) + table + long
    begins = [page(2, [b"OpusHead"]), page(2, [b"fishead"], stream=2)]
    return b"".join([*begins, page(0, [b"other"], stream=2), spread, page(1, [b""])])


def id3(version: int, *frames: bytes, flags: int = 0, before: bytes = b"") -> bytes:
    content = before + b"".join(frames) + bytes(10)
    size = bytes(len(content) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, flags]) + size + content


def frame(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    return kind + struct.pack(">IH", len(content), flags) + content


def frame24(kind: bytes, content: bytes, flags: int = 0) -> bytes:
    size = bytes(len(content) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return kind + size + struct.pack(">H", flags) + content


def glb(model: Any) -> bytes:
    text = json.dumps(model).encode()
    return struct.pack("<4sIII4s", b"glTF", 2, 20 + len(text), len(text), b"JSON") + text


def safetensors(header: Any) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def svg(metadata: str) -> bytes:
    return f'<?xml version="1.0"?>\n<!-- by us -->\n<!DOCTYPE svg>\n<svg>{metadata}</svg>'.encode()


UTF16 = b"\1" + "prompt\0".encode("utf-16") + PROMPT.encode("utf-16")
COMMENT = b"\0eng\0" + BOTH.encode()
MADE: dict[str, Callable[[], bytes]] = {
    "PNG, compressed": lambda: png_texts(compressed=True, international=False),
    "PNG, international": lambda: png_texts(compressed=False, international=True),
    "PNG, international, compressed": lambda: png_texts(compressed=True, international=True),
    "PNG, EXIF": lambda: saved("PNG", exif=exif({0x0110: f"prompt:{PROMPT}", 0x010F: f"workflow:{WORKFLOW}"})),
    "JPEG, labels": lambda: saved("JPEG", exif=exif({0x0110: f"Prompt: {PROMPT}", 0x010F: f"Workflow:{WORKFLOW}"})),
    "JPEG, both": lambda: saved("JPEG", exif=exif({0x010E: BOTH})),
    "JPEG, comment": lambda: saved("JPEG", comment=BOTH.encode()),
    "JPEG, UTF-16, big": lambda: saved("JPEG", exif=exif({}, unicode_comment(BOTH, "utf-16-be"))),
    "JPEG, UTF-16, little": lambda: saved("JPEG", exif=exif({}, unicode_comment(BOTH, "utf-16-le"))),
    "JPEG, ASCII": lambda: saved("JPEG", exif=exif({}, {0x9286: b"ASCII\0\0\0" + BOTH.encode()})),
    "JPEG, Windows": lambda: saved("JPEG", exif=exif({0x9C9C: BOTH.encode("utf-16-le") + b"\0\0"})),
    "JPEG, filled up": lambda: saved("JPEG", comment=BOTH.encode()).replace(
        b"\xff\xfe", b"\xff\xff\x01\xff\xff\xfe", 1
    ),
    "WebP": lambda: saved("WEBP", exif=exif({0x0110: f"prompt:{PROMPT}", 0x010F: f"workflow:{WORKFLOW}"})),
    "MP4, own keys": lambda: (
        box(b"ftyp", b"isom")
        + box(b"mdat", bytes(99), large=True)
        + box(
            b"moov",
            box(b"trak", bytes(20)),
            box(
                b"udta",
                box(b"meta", bytes(4), box(b"ilst", own_key(b"workflow", WORKFLOW), own_key(b"prompt", PROMPT))),
            ),
        )
    ),
    "MP4, UTF-16": lambda: (
        box(b"ftyp", b"isom")
        + box(
            b"meta",
            bytes(4),
            box(b"ilst", box(b"\xa9cmt", box(b"data", struct.pack(">II", 2, 0), BOTH.encode("utf-16-be")))),
        )
    ),
    "MP4, to the end": lambda: (
        box(b"ftyp", b"isom")
        + struct.pack(">I4s", 0, b"moov")
        + box(b"udta", box(b"\xa9cmt", struct.pack(">HH", len(BOTH), 0), BOTH.encode()))
    ),
    "Ogg, Opus": lambda: ogg(b"OpusTags" + vorbis(f"PROMPT={PROMPT}", f"workflow={WORKFLOW}")),
    "Ogg, Vorbis": lambda: ogg(b"\x03vorbis" + vorbis("ARTIST=me", f"comment={BOTH}")),
    "Ogg, FLAC": lambda: ogg(b"\x04\0\0\0" + vorbis(f"comment={BOTH}")),
    "MP3, 2.2": lambda: id3(
        2,
        b"TT2\0\0\2\0x",
        b"TXX" + len(UTF16).to_bytes(3, "big") + UTF16,
        b"COM" + len(COMMENT).to_bytes(3, "big") + COMMENT,
    ),
    "MP3, 2.3": lambda: id3(3, frame(b"APIC", b"?" * 40), frame(b"TXXX", UTF16), frame(b"COMM", COMMENT)),
    "MP3, 2.3, extended": lambda: id3(3, frame(b"COMM", COMMENT), flags=0x40, before=struct.pack(">I", 6) + bytes(6)),
    "MP3, 2.3, unsynchronised": lambda: id3(
        3, frame(b"COMM", COMMENT), frame(b"TIT2", b"\0\xff").replace(b"\xff", b"\xff\0"), flags=0x80
    ),
    "MP3, 2.4, extended": lambda: id3(4, frame24(b"COMM", COMMENT), flags=0x40, before=b"\0\0\0\6\1\0"),
    "MP3, 2.4, of a length": lambda: id3(
        4, frame24(b"TSSE", b"?" * 9, flags=0x08), frame24(b"COMM", bytes(4) + COMMENT, flags=0x03)
    ),
    "SVG, no CDATA": lambda: svg(f"<metadata>{BOTH.replace('&', '&amp;').replace('<', '&lt;')}</metadata>"),
    "SVG, of another": lambda: svg(f"<metadata>a map</metadata><metadata id='2'><![CDATA[{BOTH}]]></metadata>"),
    "GLB, asset": lambda: glb({"asset": {"extras": {"prompt": GRAPH, "workflow": WORKFLOW}}}),
    "GLB, itself": lambda: glb({"extras": {"prompt": PROMPT, "workflow": WORKFLOW}}),
    "safetensors": lambda: safetensors({"__metadata__": {"prompt": PROMPT, "workflow": WORKFLOW}, "t": {}}),
}


@pytest.mark.parametrize("name", MADE)
def test_whatever_way_it_was_written(name: str) -> None:
    data = MADE[name]()
    assert Workflow.load(data).to_api() == GRAPH
    dribble: Any = Dribble(data)
    assert Workflow.load(dribble, prefer="workflow").to_api() == SENT_ALONG


def test_what_is_no_graph_gives_way_to_what_is() -> None:
    for prompt in ("", "a fox", "[1]", "{", "7", "[" * 100_000):
        data = safetensors({"__metadata__": {"prompt": prompt, "workflow": WORKFLOW}})
        assert Workflow.load(data).to_api() == SENT_ALONG
    first = safetensors({"__metadata__": {"Prompt": PROMPT, "prompt": WORKFLOW}})
    assert Workflow.load(first).to_api() == GRAPH


def test_messages_tell_what_in_the_file_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(safetensors({"__metadata__": {"prompt": '{"1": {}}'}}))
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(tmp_path / "model")
    assert str(caught.value).startswith(f"{tmp_path / 'model'}: the prompt in it: node '1': its class_type is missing")


# --- files without --------------------------------------------------------------------------------------------

STEPS = "a cat\nNegative prompt: a dog\nSteps: 20, Sampler: Euler a, CFG scale: 7"
AUTOMATIC1111 = "made by AUTOMATIC1111's web UI or one of its kind, whose parameters are no workflow"


def png_with(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return saved("PNG", pnginfo=info)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (saved("JPEG"), "a JPEG image without a workflow, since many sites and programs take it out"),
        (saved("PNG"), "a PNG image without a workflow, since"),
        (saved("GIF"), "a GIF image into which ComfyUI puts no workflow"),
        (saved("TIFF"), "a TIFF image into which ComfyUI puts no workflow"),
        (saved("BMP"), "a BMP image into which ComfyUI puts no workflow"),
        (saved("PDF"), "a PDF document into which"),
        (png_with(parameters=STEPS), f"a PNG image {AUTOMATIC1111}"),
        (saved("JPEG", exif=exif({}, unicode_comment(STEPS, "utf-16-be"))), f"a JPEG image {AUTOMATIC1111}"),
        (png_with(Software="NovelAI", Comment="{}"), "a PNG image made by NovelAI, whose"),
        (png_with(invokeai_metadata="{}"), "a PNG image made by InvokeAI, whose"),
        (png_with(parameters="{}", fooocus_scheme="fooocus"), "a PNG image made by Fooocus, whose"),
        (png_with(prompt="a fox"), "a PNG image without a workflow, since"),
        (b"ID3\2\0\0\0\0\0\0", "an MP3 sound file without a workflow"),
        (b"\xff\xfb\x90\x64" + bytes(99), "an MP3 sound file without a workflow"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV sound file into which"),
        (box(b"ftyp", b"isom") + box(b"moov"), "an MP4 video without a workflow"),
        (box(b"ftyp", b"qt  ") + box(b"moov"), "a QuickTime video without a workflow"),
        (b"\x1a\x45\xdf\xa3\x80", "a WebM or Matroska video without a workflow"),
        (glb({"asset": {"extras": "mine"}}), "a GLB model without a workflow"),
        (safetensors({"a": 1}), "a safetensors file without a workflow"),
        (saved("PNG")[:-20], "a PNG image that is cut off"),
        (saved("JPEG")[:30], "a JPEG image that is cut off"),
        (box(b"ftyp", b"isom") + b"\0\0\0\x50moov", "an MP4 video that is cut off"),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt", "a PNG image that is damaged: a part of it is said to have"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\5zTXtk\0\0??", "a PNG image that is damaged: a compressed text of it cannot"),
        (b"\xff\xd8\xff\xe1\0\0", "a JPEG image that is damaged: a segment is shorter than its head"),
        (b"\xff\xd8\xff\x01?", "a JPEG image that is damaged: a marker is missing"),
        (b"\xff\xd8\xff\xe1\0\x0aExif\0\0??", "a JPEG image that is damaged: its EXIF block has no byte order"),
        (b"\xff\xd8\xff\xe1\0\x0eExif\0\0II*\0\xff\0", "a JPEG image that is damaged: its EXIF block is cut off"),
        (b"\x76\x2f\x31\x01" + b"x" * 300, "an OpenEXR image that is damaged: a name in it has no end"),
        (box(b"ftyp", b"isom") + b"\0\0\0\2moov", "an MP4 video that is damaged: its boxes do not fit into each other"),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\0", "a WebM or Matroska video that is damaged: its parts do not"),
        (b"\x1a\x45\xdf\xa3\xff", "a WebM or Matroska video that is damaged: a part of it has no end"),
        (b"OggS" + bytes(23) + b"????" + bytes(30), "an Ogg sound file"),
        (glb([]), "a GLB model that is damaged: its description is no object"),
        (glb({}).replace(b"JSON", b"BIN\0"), "a GLB model that is damaged: it does not begin with its description"),
        (b"\2\0\0\0\0\0\0\0{?", "a safetensors file that is damaged: its description is no JSON"),
    ],
)
def test_a_file_without_a_workflow_is_named(data: bytes, what: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(data)
    assert str(caught.value).startswith(f"the data is {what}")
    assert str(caught.value).endswith(": in the editor, the menu Workflow > Export (API) writes it")


# --- no more than is needed is read, and held ------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        box(b"ftyp", b"isom") + struct.pack(">I4sQ", 1, b"mdat", 5_000_000_016),
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01"
        + b"\xff" * 7
        + b"\x1f\x43\xb6\x75\x08"
        + struct.pack(">Q", 5_000_000_000)[1:],
    ],
    ids=["MP4", "Matroska"],
)
def test_films_are_passed_over(tmp_path: Path, head: bytes) -> None:
    head = head.replace(b"\x1f\x43\xb6\x75\x08", b"\x1f\x43\xb6\x75\x01")
    tail = MADE["MP4, to the end"]()[12:]
    if head.startswith(b"\x1a"):
        tag = b"\x45\xa3\x86PROMPT\x44\x87" + (0x4000 + len(PROMPT)).to_bytes(2, "big") + PROMPT.encode()
        sizes = [(0x4000 + len(tag) + more).to_bytes(2, "big") for more in (8, 4, 0)]
        tail = b"\x12\x54\xc3\x67" + sizes[0] + b"\x73\x73" + sizes[1] + b"\x67\xc8" + sizes[2] + tag
    path = tmp_path / "film"
    with path.open("wb") as file:
        file.write(head)
        file.seek(5_000_000_000, io.SEEK_CUR)
        file.write(tail)
    assert Workflow.load(path).to_api() == GRAPH


def test_what_follows_is_not_read() -> None:
    for name in ("png.png", "mp4.mp4", "flac.flac", "latent.latent", "glb.glb", "vp9_webm.webm"):
        file = Counting((COMFYUIS / name).read_bytes() + bytes(10_000_000))
        assert Workflow.load(file).to_api() == SENT[name]
        assert file.count < 10_000


def test_a_part_that_nobody_wants_to_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyclient.workflow.media.images.LARGEST", 10)
    with pytest.raises(WorkflowError, match="damaged: a compressed text of it is too large"):
        Workflow.load(MADE["PNG, compressed"]())
    monkeypatch.setattr("comfyclient.workflow.media.sounds.LARGEST", 10)
    with pytest.raises(WorkflowError, match="damaged: its comments are too large"):
        Workflow.load(MADE["Ogg, Opus"]())


def test_parts_without_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "_MOST_PARTS", 1000)
    data = box(b"ftyp", b"isom") + box(b"free") * 2000
    with pytest.raises(WorkflowError, match="damaged: it has no end of parts"):
        Workflow.load(data)


def bomb_of_exif() -> bytes:
    """A thousand values that are one and the same."""
    size = 8_000_000
    entries = b"".join(struct.pack("<HHII", 0x0110, 2, size, 16) for _ in range(60_000))
    block = b"II*\0" + struct.pack("<I", 16 + size) + bytes(8 + size) + struct.pack("<H", 60_000) + entries
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", len(block), b"eXIf") + block + bytes(4)


def bomb_of_places() -> bytes:
    """Items in very many pieces of no size."""
    items = struct.pack(">HHH", 1, 0, 0xFFFF) * 0xFFFF
    return box(b"ftyp", b"avif") + box(b"meta", bytes(4), box(b"iloc", struct.pack(">IHH", 0, 0, 0xFFFF), items))


@pytest.mark.parametrize(
    "bomb",
    [
        bomb_of_exif,
        bomb_of_places,
        lambda: b"<svg>" + b"<metadata " * 100_000,
        lambda: b"<svg>" + b"<metadata>" * 1_000_000,
        lambda: b"<svg><metadata>" + b" " * 10_000_000 + b"x",
        lambda: id3(3, frame(b"TXXX", b"\1" + b"x\0\0x" * 1_000_000)),
    ],
    ids=["EXIF", "AVIF", "SVG, open", "SVG, many", "SVG, blanks", "MP3"],
)
def test_nobody_is_kept_busy(bomb: Callable[[], bytes]) -> None:
    """Each would take hours if it was read as it asks for."""
    use(bomb())


def test_pieces_are_a_file() -> None:
    reader = Reader(Pieces(iter([b"ab", b"", b"cdef", b"g"])))
    assert reader.peek(1) == b"a"
    assert reader.up_to(3) == b"abc"
    reader.skip(2)
    assert reader.position == 5
    assert reader.up_to(9) == b"fg"
    assert not reader.peek(1)


# --- whatever comes ---------------------------------------------------------------------------------------------


def use(data: bytes) -> None:
    for prefer in ("prompt", "workflow"):
        try:
            Workflow.load(data, prefer=prefer)
        except WorkflowError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


@settings(max_examples=300)
@given(st.sampled_from(ALL), st.data())
def test_damaged_files(path: Path, data: st.DataObject) -> None:
    """Cut, changed in places, or with a piece missing or doubled."""
    content = bytearray(path.read_bytes()[:4000])
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, max_size=4)):
        content[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    start, end = sorted((data.draw(places), data.draw(places)))
    how = data.draw(st.sampled_from(["cut", "without", "doubled", "whole"]))
    if how == "cut":
        del content[end:]
    elif how == "without":
        del content[start:end]
    elif how == "doubled":
        content[end:end] = content[start:end]
    use(bytes(content))


HEADS = [path.read_bytes()[:size] for path in ALL for size in (4, 12, 40)]


@settings(max_examples=300)
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_arbitrary_bytes_after_a_head(head: bytes, rest: bytes) -> None:
    use(head + rest)


@given(st.binary(max_size=600))
def test_formats_of_arbitrary_bytes(head: bytes) -> None:
    format_of(head)


@pytest.mark.parametrize("text", [b"<!---->" * 73, b"<?xml ?>" + b"<!-- -" * 80, b" " * 500 + b"<"])
def test_formats_are_told_at_once(text: bytes) -> None:
    format_ = format_of(text[:512])
    assert format_ is not None
    assert format_.name == "an XML document"
    assert zlib.crc32(text)
