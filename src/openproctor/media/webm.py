"""Self-contained WebM pieces (browsers that record no MP4): remuxed to fragmented MP4 for playing, never transcoded."""

import io

import av
import av.error

from openproctor.errors import Problem

EBML = b"\x1aE\xdf\xa3"


def remux(data: bytes) -> bytes:
    """The piece as init segment and fragments, packets unchanged.

    Raises :class:`Problem` 415 for what is no WebM, 422 for one without a picture or one that cannot be read.
    """
    if not data.startswith(EBML):
        raise Problem(415, "wrong-container", "This is not a WebM file", "A WebM piece begins with an EBML header.")
    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), format="webm") as source:
            if not source.streams.video:
                raise Problem(422, "no-video", "The piece has no picture", "A recording chunk holds a video track.")
            options = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "strict": "experimental"}
            with av.open(out, "w", format="mp4", options=options) as target:
                streams = {
                    stream.index: target.add_stream_from_template(stream)
                    for stream in source.streams
                    if stream.type in ("video", "audio")
                }
                count = 0
                for packet in source.demux():
                    if packet.dts is None or packet.stream.index not in streams:
                        continue
                    packet.stream = streams[packet.stream.index]
                    target.mux(packet)
                    count += 1
                if not count:
                    raise Problem(422, "empty-chunk", "The piece holds no frame")
    except av.error.FFmpegError as error:
        raise Problem(422, "damaged-chunk", "The piece cannot be read", str(error)) from error
    return out.getvalue()
