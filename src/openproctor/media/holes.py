"""What of a recording is missing for good once a session ends: event 1060 with its extent."""

from collections.abc import Iterable, Iterator

from openproctor.eventlog.entries import NewEvent
from openproctor.eventlog.repository import EventRepository
from openproctor.media.playlist import Segment, gaps, segments, spans
from openproctor.media.repository import TRACKS, Chunk, ChunkRepository
from openproctor.sessions.recordings import last_told
from openproctor.sessions.repository import Session

GAP = 1060
MOST_NUMBERS = 10_000


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Consecutive numbers as (first, last)."""
    first = last = None
    for number in sorted(numbers):
        if first is not None and last is not None and number != last + 1:
            yield first, last
            first = number
        first = number if first is None else first
        last = number
    if first is not None and last is not None:
        yield first, last


def _end(chunk: Chunk) -> int:
    return chunk.at + round((chunk.duration or 0) * 1000)


async def holes(
    repository: ChunkRepository, log: EventRepository, session: Session, missing: dict[str, list[int]]
) -> list[NewEvent]:
    """Events 1060 of a session that ends, also for the time from the last picture to the end.

    ``missing`` are the numbers that the page said it has sent. Without a manifest the page never came back: then the
    holes in what is there count.
    """
    found: list[NewEvent] = []
    began = session.started_at or session.created_at
    ended = session.finish_requested_at or began
    finished = await _finished(log, session, ended)
    for track in TRACKS:
        if getattr(session.policy.tracks, track) is None:
            continue
        stored = await repository.of_track(session.organization_id, session.id, track)
        last = stored[-1].number if stored else -1
        numbers = set(missing.get(track, ()))
        if session.manifest is None:
            numbers |= set(range(last + 1)) - {chunk.number for chunk in stored}
        for first, final in _runs(numbers):
            before = [chunk for chunk in stored if chunk.number < first]
            after = [chunk for chunk in stored if chunk.number > final]
            since = max((_end(chunk) for chunk in before), default=began)
            until = min((chunk.at for chunk in after), default=ended)
            found.append(_gap(track, since, until, "it never arrived", range(first, final + 1)))
        played: list[Segment] = segments(stored, running=False)
        known = [(event.data["from"], event.data["until"]) for event in found if event.data["track"] == track]
        for gap in gaps(spans(played)):
            long = gap["until"] - gap["from"] >= session.policy.recording_stall_ms
            if long and not any(since <= gap["from"] and gap["until"] <= until for since, until in known):
                found.append(_gap(track, int(gap["from"]), int(gap["until"]), "nothing was recorded"))
        tail = max((_end(segment.chunk) for segment in played), default=began)
        until = min(ended, finished.get(track, ended))
        known = [(event.data["from"], event.data["until"]) for event in found if event.data["track"] == track]
        if until - tail >= session.policy.recording_stall_ms and not any(s <= tail and until <= u for s, u in known):
            reason = "the page never came back" if session.manifest is None else "nothing was recorded"
            found.append(_gap(track, tail, until, reason))
    return found


async def _finished(log: EventRepository, session: Session, ended: int) -> dict[str, int]:
    """When the page says that it ended its recordings with the exam, ms since 1970, by track.

    Without a line it can say so only later. One that said so long before it ended the exam is not believed.
    """
    return {
        track: event.occurred_at
        for track, event in (await last_told(log, session)).items()
        if event.data.get("reason") == "finished" and event.received_at >= ended - session.policy.recording_stall_ms
    }


def _gap(track: str, since: int, until: int, reason: str, numbers: Iterable[int] = ()) -> NewEvent:
    data = {"track": track, "from": since, "until": max(since, until), "reason": reason}
    given = list(numbers)[:MOST_NUMBERS]
    return NewEvent(GAP, "server", since, data | ({"numbers": given} if given else {}))
