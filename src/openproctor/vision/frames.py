"""Bytes to pictures, safely: stills with a limit on their size, decoded frames turned upright."""

import io
import warnings
from dataclasses import dataclass

import av
import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from openproctor.vision.geometry import Image

MAX_PIXELS = 24_000_000  # a still with more is refused before it is decoded
MAX_FRAME_PIXELS = 40_000_000  # a video picture with more is skipped
LONGEST = 1280  # video pictures are brought down to this longer side: the detectors see no more
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class StillError(ValueError):
    """A still that cannot be used. ``code`` is ``not-an-image`` or ``image-too-large``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Still:
    """A decoded still: BGR picture, upright, and its media type."""

    image: Image
    media_type: str

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])


def decode_still(data: bytes, max_pixels: int = MAX_PIXELS) -> Still:
    """A JPEG, PNG or WebP as a BGR picture, turned as its EXIF says. Raises StillError.

    The size is read from the header first, so that a small file that unpacks to gigabytes is never unpacked.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the limit below is ours, Pillow's own would only warn
            with Pillow.open(io.BytesIO(data), formats=list(KINDS)) as opened:
                width, height = opened.size
                if width * height > max_pixels:
                    raise StillError(
                        "image-too-large",
                        f"The picture has {width} x {height} pixels; at most {max_pixels:,} pixels are allowed.",
                    )
                media_type = KINDS[str(opened.format)]
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except StillError:
        raise
    except Pillow.DecompressionBombError as error:
        raise StillError(
            "image-too-large", f"The picture has far more pixels than the {max_pixels:,} that are allowed."
        ) from error
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise StillError("not-an-image", "The file is not a JPEG, PNG or WebP picture, or it is damaged.") from error
    return Still(np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1]), media_type)


def encode_jpeg(image: Image, quality: int = 85) -> bytes:
    """A BGR picture as JPEG."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("picture cannot be encoded")
    return bytes(data.tobytes())


def picture(frame: av.VideoFrame, longest: int = LONGEST, rotation: int | None = None) -> Image | None:
    """A decoded frame as an upright BGR picture, its longer side at most ``longest``; None if it is absurdly large.

    ``rotation`` (degrees counter-clockwise) is taken from the frame where it is not given.
    """
    if frame.width * frame.height > MAX_FRAME_PIXELS or min(frame.width, frame.height) < 2:
        return None
    scale = longest / max(frame.width, frame.height)
    if scale < 1:
        frame = frame.reformat(
            width=max(2, round(frame.width * scale)), height=max(2, round(frame.height * scale)), format="bgr24"
        )
    turn = frame.rotation if rotation is None else rotation
    image = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
    return turned(image, turn)


def shrunk(image: Image, longest: int) -> Image:
    """A picture whose longer side is at most ``longest`` pixels; the same one where it is already."""
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def turned(image: Image, degrees: int) -> Image:
    """A picture turned counter-clockwise by a multiple of 90 degrees; other angles are left alone."""
    quarter = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, -90: cv2.ROTATE_90_CLOCKWISE}.get(degrees)
    if quarter is not None:
        return np.asarray(cv2.rotate(image, quarter), dtype=np.uint8)
    if abs(degrees) == 180:
        return np.asarray(cv2.rotate(image, cv2.ROTATE_180), dtype=np.uint8)
    return image
