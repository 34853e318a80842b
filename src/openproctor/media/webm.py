"""Self-contained WebM pieces (browsers that record no MP4), made playable beside the MP4 of others.

VP9 and Opus packets are put into fragmented MP4 unchanged. VP8 has no place in an MP4 that browsers play, so its
picture is encoded again as VP9 for the player; what came from the browser is kept and stays the evidence.
"""

import io
from fractions import Fraction
from typing import Any

import av
import av.error

from openproctor.errors import Problem

EBML = b"\x1aE\xdf\xa3"
# a piece holds seconds, not minutes; more frames than this is no piece of ours
MAX_FRAMES = 2_000
MAX_PIXELS = 4096 * 2304
_VP9 = {"deadline": "realtime", "cpu-used": "8", "row-mt": "0", "g": "9999"}


def playable_mp4(data: bytes, bits_per_second: int) -> bytes:
    """The piece as init segment and fragments; ``bits_per_second`` is used where the picture is encoded again.

    Raises :class:`Problem` 415 for what is no WebM, 422 for one without a picture or one that cannot be read.
    """
    if not data.startswith(EBML):
        raise Problem(415, "wrong-container", "This is not a WebM file", "A WebM piece begins with an EBML header.")
    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), format="webm") as source:
            if not source.streams.video:
                raise Problem(422, "no-video", "The piece has no picture", "A recording chunk holds a video track.")
            options = {"movflags": "empty_moov+default_base_moof+frag_keyframe"}
            with av.open(out, "w", format="mp4", options=options) as target:
                if not _copy(source, target, bits_per_second):
                    raise Problem(422, "empty-chunk", "The piece holds no frame")
    except (av.error.FFmpegError, ValueError) as error:
        raise Problem(422, "damaged-chunk", "The piece cannot be read", str(error)[:300]) from error
    return out.getvalue()


def _copy(source: Any, target: Any, bits_per_second: int) -> int:
    """Packets of the first picture and sound stream; the number of frames."""
    video = source.streams.video[0]
    if video.width * video.height > MAX_PIXELS:
        raise Problem(422, "image-too-large", "The picture is too large", f"{video.width}×{video.height} pixels.")
    encoder = None
    if video.codec_context.name == "vp8":
        encoder = target.add_stream("libvpx-vp9", rate=30, options=_VP9)
        encoder.width, encoder.height, encoder.pix_fmt = video.width, video.height, "yuv420p"
        encoder.bit_rate = bits_per_second
        encoder.codec_context.time_base = Fraction(1, 1000)
    streams = {} if encoder else {video.index: target.add_stream_from_template(video)}
    for audio in source.streams.audio[:1]:
        streams[audio.index] = target.add_stream_from_template(audio)
    count = 0
    for packet in source.demux():
        if packet.stream is video:
            count += packet.dts is not None
            if count > MAX_FRAMES:
                raise ValueError(f"more than {MAX_FRAMES} frames")
            if encoder:
                for frame in packet.decode():
                    frame.pict_type = 0
                    target.mux(encoder.encode(frame))
                continue
        if packet.dts is not None and packet.stream.index in streams:
            packet.stream = streams[packet.stream.index]
            target.mux(packet)
    if encoder:
        target.mux(encoder.encode(None))
    return count
