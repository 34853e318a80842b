"""Stills are decoded only when they are stills, and never when they are bombs."""

import contextlib
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from openproctor.vision.frames import StillError, decode_still, encode_jpeg, shrunk, turned
from openproctor.vision.geometry import Image


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises ``width`` x ``height`` and whose data is next to nothing."""

    def piece(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + piece(b"IHDR", header)
        + piece(b"IDAT", zlib.compress(b"\0" * 1000))
        + piece(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("extension", "kind"), [(".jpg", "image/jpeg"), (".png", "image/png"), (".webp", "image/webp")]
)
def test_stills_of_the_three_kinds_are_read(astronaut: Image, extension: str, kind: str) -> None:
    done, data = cv2.imencode(extension, astronaut)
    still = decode_still(data.tobytes())
    assert done
    assert (still.media_type, still.width, still.height) == (kind, 512, 512)
    assert np.abs(still.image.astype(int) - astronaut.astype(int)).mean() < 6


def test_a_picture_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(StillError) as caught:
        decode_still(png_of(60_000, 60_000))
    assert caught.value.code == "image-too-large"


@pytest.mark.parametrize("data", [b"", b"GIF89a" + b"\0" * 50, b"<svg/>", b"\xff\xd8\xff\xe0" + b"\0" * 100])
def test_what_is_no_still_is_refused(data: bytes) -> None:
    with pytest.raises(StillError) as caught:
        decode_still(data)
    assert caught.value.code == "not-an-image"


def test_a_truncated_still_is_refused(astronaut: Image) -> None:
    with pytest.raises(StillError):
        decode_still(encode_jpeg(astronaut)[:3000])


@given(st.binary(max_size=300), st.integers(0, 200))
def test_no_bytes_raise_anything_but_a_still_error(noise: bytes, place: int) -> None:
    good = png_of(8, 8)
    for data in (noise, good[:place] + noise + good[place:]):
        with contextlib.suppress(StillError):
            decode_still(data)


def test_the_turn_of_a_phone_picture_is_honoured(astronaut: Image) -> None:
    picture = Pillow.fromarray(astronaut[:, :, ::-1].copy()).resize((300, 200))
    exif = Pillow.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees to show
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    assert decode_still(out.getvalue()).image.shape == (300, 200, 3)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(6000, 4000, (1920, 1280)), (30, 5760, (10, 1920)), (1920, 7, (1920, 7)), (9000, 1, (1920, 1))],
)
def test_a_large_picture_is_brought_down_to_its_longer_side(width: int, height: int, size: tuple[int, int]) -> None:
    small = shrunk(np.full((height, width, 3), (10, 20, 30), np.uint8), 1920)
    assert (small.shape[1], small.shape[0]) == size
    assert (small == (10, 20, 30)).all()


def test_turning() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(turned(turned(image, 90), -90), image)
    assert np.array_equal(turned(turned(image, 180), -180), image)
    assert np.array_equal(turned(image, 0), image)
