"""Ask the server for what it has acknowledged, and compare: what is lost, what is there twice."""

import asyncio
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from openproctor.simulation.protocol import API, Ledger, event_key

_SEGMENT = re.compile(r"(?:^|/)(\d+)\.m4s(?:\?|$)")
_INIT = re.compile(r'URI="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Comparison:
    """Acknowledged against stored. ``lost`` are acknowledged and not there, ``repeated`` are there more than once."""

    events_acknowledged: int = 0
    events_stored: int = 0
    events_lost: int = 0
    events_repeated: int = 0
    chunks_acknowledged: int = 0
    chunks_stored: int = 0
    chunks_lost: int = 0
    chunks_repeated: int = 0
    chunks_changed: int = 0

    @property
    def lost(self) -> int:
        """Events and chunks that were acknowledged and are not there, or not as they were sent."""
        return self.events_lost + self.chunks_lost + self.chunks_changed

    @property
    def repeated(self) -> int:
        """Events and chunks that are there more often than once."""
        return self.events_repeated + self.chunks_repeated

    def __add__(self, other: "Comparison") -> "Comparison":
        names = self.__slots__
        return Comparison(**{name: getattr(self, name) + getattr(other, name) for name in names})


async def read_events(http: httpx.AsyncClient, session_id: str) -> list[dict[str, Any]]:
    """All events of a session. ``http`` carries the API key."""
    items: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        params = {"after": after, "limit": 5000}
        answer = await http.get(f"{API}/sessions/{session_id}/events", params=params)
        answer.raise_for_status()
        page = answer.json()
        items += page["items"]
        after = page["next"]
    return items


async def read_playlist(http: httpx.AsyncClient, session_id: str, track: str) -> str:
    """The track's playlist, empty if nothing is recorded."""
    answer = await http.get(f"{API}/sessions/{session_id}/media/{track}/index.m3u8")
    if answer.status_code == 404:
        return ""
    answer.raise_for_status()
    return answer.text


async def read_track(http: httpx.AsyncClient, session_id: str, track: str) -> list[tuple[str, bytes]]:
    """Init segments and segments in the playlist's order, as (link, bytes)."""
    found: list[tuple[str, bytes]] = []
    base = f"{API}/sessions/{session_id}/media/{track}/index.m3u8"
    for line in (await read_playlist(http, session_id, track)).splitlines():
        init = _INIT.search(line) if line.startswith("#EXT-X-MAP") else None
        link = init.group(1) if init else line if line and not line.startswith("#") else None
        if link:
            answer = await http.get(urljoin(base, link))
            answer.raise_for_status()
            found.append((link, answer.content))
    return found


async def compare(
    http: httpx.AsyncClient,
    session_id: str,
    ledger: Ledger,
    *,
    media: bool = True,
    init_only: frozenset[int] = frozenset({0}),
) -> Comparison:
    """Read one session back. ``media`` also fetches every segment and compares its bytes; else only the numbers are.

    Chunks whose number is in ``init_only`` hold no pictures: they are in the playlist as init segments.
    """
    events, chunks = await asyncio.gather(
        _compare_events(http, session_id, ledger), _compare_chunks(http, session_id, ledger, media, init_only)
    )
    return events + chunks


async def _compare_events(http: httpx.AsyncClient, session_id: str, ledger: Ledger) -> Comparison:
    stored = [e for e in await read_events(http, session_id) if e["source"] == "candidate"]
    counted = Counter(event_key(e["type_id"], e["occurred_at"], e["data"]) for e in stored)
    wanted = Counter(event.key for event in ledger.events.values())
    return Comparison(
        events_acknowledged=len(ledger.events),
        events_stored=len(stored),
        events_lost=sum((wanted - counted).values()),
        events_repeated=sum(
            count - max(1, wanted[key]) for key, count in counted.items() if count > max(1, wanted[key])
        ),
    )


async def _compare_chunks(
    http: httpx.AsyncClient, session_id: str, ledger: Ledger, media: bool, init_only: frozenset[int]
) -> Comparison:
    total = Comparison()
    for track in sorted({track for track, _ in ledger.chunks}):
        wanted = {n: digest for (t, n), digest in ledger.chunks.items() if t == track and n not in init_only}
        playlist = await read_playlist(http, session_id, track)
        listed = Counter(
            int(found.group(1)) for line in playlist.splitlines() if (found := _SEGMENT.search(line)) and line[0] != "#"
        )
        changed = 0
        if media:
            for link, data in await read_track(http, session_id, track):
                found = _SEGMENT.search(link)
                number = int(found.group(1)) if found else -1
                changed += number in wanted and hashlib.sha256(data).hexdigest() != wanted[number]
        inits = sum(1 for t, n in ledger.chunks if t == track and n in init_only)
        total += Comparison(
            chunks_acknowledged=len(wanted) + inits,
            chunks_stored=sum(listed.values()) + (inits if playlist else 0),
            chunks_lost=len(set(wanted) - set(listed)) + (0 if playlist or not wanted else inits),
            chunks_repeated=sum(listed.values()) - len(listed),
            chunks_changed=changed,
        )
    return total
