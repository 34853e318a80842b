"""HLS playlists over the stored chunks (RFC 8216), and where on their timeline a moment lies.

Nothing is transcoded: every chunk is a segment, every part of a recording has its own map. While the session runs the
playlist is of type EVENT and shows chunks up to the first one that is missing, since nothing may be put in between later.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from openproctor.clock import iso
from openproctor.media.repository import Chunk

# wall-clock distance that still counts as one unbroken recording, ms
SEAM_MS = 700


@dataclass(frozen=True, slots=True)
class Segment:
    """A chunk on the playlist: ``at`` in ms since 1970, ``duration`` and ``position`` (on the playlist) in seconds."""

    chunk: Chunk
    init: Chunk
    at: int
    duration: float
    position: float
    breaks: bool


def segments(stored: list[Chunk], *, running: bool) -> list[Segment]:
    """Chunks of one track, in order of number, as segments.

    Once all is in they go by part: a late chunk of an earlier part may have got a higher number.
    """
    if not running:
        stored = sorted(stored, key=lambda chunk: (chunk.part, chunk.number))
    found: list[Segment] = []
    inits: dict[int, Chunk] = {}
    position, expected = 0.0, 0
    before: Chunk | None = None
    for index, chunk in enumerate(stored):
        if running and chunk.number != expected:
            break
        expected = chunk.number + 1
        if chunk.init_size:
            inits[chunk.part] = chunk
        if not chunk.has_media or chunk.part not in inits or chunk.duration is None or chunk.media_time is None:
            continue
        following = stored[index + 1] if index + 1 < len(stored) else None
        duration = chunk.duration
        if following and following.part == chunk.part and following.number == chunk.number + 1 and following.media_time:
            # the length of a chunk's last frame is a guess until the next chunk begins
            gap = following.media_time - chunk.media_time
            duration = gap if 0 < gap < chunk.duration + 2 else duration
        duration = max(duration, 0.001)
        breaks = before is not None and (before.part != chunk.part or before.number != chunk.number - 1)
        found.append(Segment(chunk, inits[chunk.part], chunk.at, duration, position, breaks))
        position += duration
        before = chunk
    return found


def render(found: list[Segment], *, complete: bool, link: Callable[[str], str]) -> str:
    """The playlist's text; ``link`` turns a file name beside the playlist into a signed link."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max((math.ceil(s.duration) for s in found), default=2)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if complete else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    init: Chunk | None = None
    for segment in found:
        if segment.breaks:
            lines.append("#EXT-X-DISCONTINUITY")
        if segment.init is not init:
            init = segment.init
            lines.append(f'#EXT-X-MAP:URI="{link(f"{init.number}.init.mp4")}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{iso(segment.at)}")
        lines.append(f"#EXTINF:{segment.duration:.5f},")
        lines.append(link(f"{segment.chunk.number}.m4s"))
    if complete:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def spans(found: list[Segment]) -> list[dict[str, float | int]]:
    """Unbroken stretches: ``from`` and ``until`` in ms since 1970, ``position_s`` where it begins on the playlist."""
    result: list[dict[str, float | int]] = []
    for segment in found:
        until = segment.at + round(segment.duration * 1000)
        last = result[-1] if result else None
        if last and last["part"] == segment.chunk.part and abs(segment.at - last["until"]) <= SEAM_MS:
            last["until"] = until
        else:
            result.append(
                {
                    "from": segment.at,
                    "until": until,
                    "position_s": round(segment.position, 4),
                    "part": segment.chunk.part,
                }
            )
    return result


def gaps(found: list[dict[str, float | int]]) -> list[dict[str, float | int]]:
    """What lies between the spans, ms since 1970."""
    return [
        {"from": before["until"], "until": after["from"]}
        for before, after in pairwise(found)
        if after["from"] - before["until"] > SEAM_MS
    ]
