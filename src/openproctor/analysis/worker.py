"""The background work: stored chunks of the camera track in, findings into the event log.

How far a session is analysed is written in the same transaction as its findings, on the condition that nobody else has
moved it on: a worker that dies, or loses its lease to another one, neither loses nor repeats a finding. The way itself is
:class:`~openproctor.analysis.course.Course`; here its chunks are fetched and its findings written.
"""

import asyncio
import contextlib
import os
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter

from openproctor.analysis.coded import Decoders
from openproctor.analysis.conditions import conditions, model_files
from openproctor.analysis.course import ENDED_WORKERS, Course, Outcome, Piece, Settings
from openproctor.analysis.detectors import Detectors
from openproctor.analysis.findings import NO_TWIN, Finding
from openproctor.analysis.repository import DONE, AnalysisRepository, Progress, Waiting
from openproctor.analysis.sameness import reference
from openproctor.analysis.virtual_camera import looks_virtual
from openproctor.clock import now_ms
from openproctor.eventlog.entries import Append, Change, NewContent, NewEvent
from openproctor.ids import new_id
from openproctor.media.repository import Chunk
from openproctor.vision.frames import Still, decode_still, encode_jpeg
from openproctor.vision.geometry import Image
from openproctor.vision.recognition import Reference

logger = structlog.get_logger(__name__)

TRACK = "camera"
REJECTED, ANALYSED = 1062, 1068
NEWEST = 2**62  # a position after all others
ROUND_S = 0.5  # from one round to the next unless chunks pile up: each costs a few queries, whatever it finds
LEASE_MS = 30_000
SKIP_MS = 90_000  # how long a missing chunk is waited for once later ones are there
BATCH = 8  # chunks of one session in one go, so that none waits for another's backlog
SEEK_ALL_MS = 30_000  # between two looks for sessions that were over before any worker saw them
COMMIT_EVERY = 2  # chunks without a finding after which progress is written all the same
SESSIONS_KEPT = 400  # in memory; others go on from their written state
CHUNK_SECONDS = 20.0  # a chunk that takes longer is worth a line in the log
HOPELESS_SECONDS = 60.0  # a decoder that is still at it then will not come back
TRIES = 5  # after so many workers that ended with a chunk in hand nobody looks at it any more
HUNG = 70  # exit code of a worker that gives itself up
STILL_LONGEST = 960

CHUNKS = Counter("openproctor_analysis_chunks_total", "Chunks analysed.", ["outcome"])
FINDINGS = Counter("openproctor_analysis_findings_total", "Findings written.", ["type_id"])


@dataclass(slots=True)
class _Work:
    """One session in this worker's hands."""

    session_id: str
    organization_id: str
    course: Course
    settings: Settings
    written: int
    next_number: int
    lease_until: int
    # beginning of the part that is looked at: part, bytes, when it began (ms)
    init: tuple[int, bytes, int] | None = None
    # accommodations that ``settings`` know of, as the session's row has them
    accommodations: str | None = None
    # workers that ended with the next chunk in hand
    tries: int = 0
    events: list[NewEvent] = field(default_factory=list)
    contents: list[NewContent] = field(default_factory=list)
    unwritten: int = 0


def _end_process() -> None:
    os._exit(HUNG)


class Worker:
    """Analyses what is stored, until cancelled."""

    def __init__(
        self,
        platform: Any,
        detectors: Detectors,
        *,
        lease_ms: int = LEASE_MS,
        hopeless_s: float = HOPELESS_SECONDS,
        give_up: Callable[[], Any] = _end_process,
    ) -> None:
        """``give_up`` ends the process: nothing else ends a thread inside a decoder. Whoever keeps workers starts another."""
        self._lease_ms = lease_ms
        self._hopeless_s = hopeless_s
        self._give_up = give_up
        self._platform = platform
        self._detectors = detectors
        self._repository = AnalysisRepository(platform.database)
        self._owner = new_id()
        self._sessions: OrderedDict[str, _Work] = OrderedDict()
        self._decoders = Decoders()
        self._sought_all_at = 0
        self._writing: list[asyncio.Task[None]] = []
        self._backlog = False

    async def run(self) -> None:
        """Look for work again and again."""
        while True:
            begun = time.monotonic()
            try:
                busy = await self.round()
            except Exception:
                # whatever one round met, the next one starts from what is written
                logger.exception("analysis round failed")
                self._sessions.clear()
                busy = False
                await asyncio.sleep(2)
            if not (busy and self._backlog):
                await asyncio.sleep(max(0.0, begun + ROUND_S - time.monotonic()))

    async def round(self) -> bool:
        """One turn over the sessions that wait; whether anything was done."""
        all_sessions = (now := now_ms()) - self._sought_all_at > SEEK_ALL_MS
        await self._repository.begin_new(all_sessions=all_sessions)
        self._sought_all_at = now if all_sessions else self._sought_all_at
        waiting = [one for one in await self._repository.waiting(self._owner, now) if self._has_work(one)]
        found, held = await self._next([one.progress for one in waiting])
        self._backlog = any(one.over or len(found[one.progress.session_id]) >= BATCH for one in waiting)
        busy = False
        try:
            for one in waiting:
                session_id = one.progress.session_id
                busy |= await self._session(one.progress, one.over, found[session_id], held.get(session_id))
        finally:
            await self._written()
        return busy

    async def _next(self, waiting: list[Progress]) -> tuple[defaultdict[str, list[Chunk]], dict[str, str]]:
        """The next chunks of sessions, and their accommodations, of which whatever stands before the chunks in the chain is
        there when they are asked for after these."""
        firsts = [(one, self._first(one)) for one in waiting]
        wanted = [(one.organization_id, one.session_id, first) for one, first in firsts if first is not None]
        found = await self._platform.media.repository.following(wanted, TRACK, BATCH)
        for organization_id, session_id, first in wanted:
            if not found[session_id]:  # what follows may lie behind a gap
                found[session_id] = await self._chunks(organization_id, session_id, first)
        return found, await self._repository.accommodations([one.session_id for one in waiting])

    def _first(self, progress: Progress) -> int | None:
        """The chunk to go on with; None while what came late is looked at."""
        if (work := self._sessions.get(progress.session_id)) is None:
            return progress.next_number
        return work.next_number if work.course.lane < 0 else None

    async def _written(self) -> None:
        """Wait for what is being written while the next one's chunks are looked at, several sessions in one commit."""
        writing, self._writing = self._writing, []
        await asyncio.gather(*writing)

    def _has_work(self, one: Waiting) -> bool:
        # what is done but not yet written down is still unseen in the database
        work = self._sessions.get(one.progress.session_id)
        return one.over or work is None or work.next_number <= one.last

    async def release(self) -> None:
        """Write what is done and let other workers go on at once."""
        for work in list(self._sessions.values()):
            with contextlib.suppress(Exception):
                await self._commit(work, lease_until=0)
        self._sessions.clear()

    # -- one session -------------------------------------------------------------------------------------------------

    async def _session(self, progress: Progress, over: bool, found: list[Chunk], held: str | None) -> bool:
        work = self._sessions.get(progress.session_id)
        chunks = _in_order(found, self._first(progress) or 0)
        missing = bool(found) and not chunks and (over or now_ms() - found[0].received_at > SKIP_MS)
        if not chunks and not missing and not over:
            return False
        if work is None:
            work = await self._claim(progress)
            if work is None:
                return False
        try:
            if missing:
                # what never came is a gap in the recording, not a reason to stop
                await self._skip(work, found[0].number - 1)
                chunks = _in_order(found, found[0].number)
            if chunks:
                await self._accommodate(work, held)
            for chunk in chunks:
                await self._chunk(work, chunk)
                if work.tries:
                    await self._commit(work)  # one at a time until it is past what ended the others
            if over and not chunks:
                await self._late(work)
            else:
                self._writing.append(asyncio.create_task(self._write(work)))
        except _LostLeaseError:
            self._lost(work)
        return True

    async def _write(self, work: _Work) -> None:
        try:
            await self._commit_some(work)
        except _LostLeaseError:
            self._lost(work)

    def _lost(self, work: _Work) -> None:
        logger.info("another worker went on with a session", session_id=work.session_id)
        self._sessions.pop(work.session_id, None)

    async def _chunks(self, organization_id: str, session_id: str, first: int) -> list[Chunk]:
        found: list[Chunk] = await self._platform.media.repository.of_track(
            organization_id, session_id, TRACK, first=first, limit=BATCH
        )
        return found

    async def _claim(self, progress: Progress) -> _Work | None:
        lease = now_ms() + self._lease_ms
        receipt = await self._platform.log.append(
            Append(
                progress.session_id,
                progress.organization_id,
                changes=[
                    Change(
                        "analyses",
                        {"owner": self._owner, "lease_until": lease, "tries": progress.tries + 1},
                        {
                            "session_id": progress.session_id,
                            "next_number": progress.next_number,
                            "lease_until": progress.lease_until,
                        },
                    )
                ],
            )
        )
        if not receipt.applied:
            return None
        session = await self._platform.sessions.repository.get(progress.organization_id, progress.session_id)
        settings = Settings(session.policy)
        held = await self._repository.accommodations_of(progress.session_id)
        settings.replace(await self._repository.accommodated(progress.session_id) if held else [])
        if session.policy.detectors.face_mismatch:
            settings.compare_with(await self._references(progress))
        state = msgspec.json.decode(progress.state) if progress.state else None
        number = progress.next_number
        course = Course(self._detectors, settings, state, number, self._decoders)
        work = _Work(
            progress.session_id,
            progress.organization_id,
            course,
            settings,
            number,
            number,
            lease,
            accommodations=held,
            tries=progress.tries,
        )
        if course.recalls is not None:
            chunk = await self._platform.media.repository.get(
                work.organization_id, work.session_id, TRACK, course.recalls
            )
            if chunk is not None:
                piece = await self._piece(work, chunk)
                await asyncio.to_thread(course.recall, piece)
        course.made_by(number, conditions(self._detectors))
        if number == 0 and settings(NEWEST).detectors["virtual_camera"]:
            await self._camera_name(work)
        self._sessions[work.session_id] = work
        while len(self._sessions) > SESSIONS_KEPT:
            await self._written()
            _, oldest = self._sessions.popitem(last=False)
            with contextlib.suppress(_LostLeaseError):
                await self._commit(oldest, lease_until=0)
        return work

    async def _references(self, progress: Progress) -> tuple[Reference, ...]:
        """The faces that were captured before the recording began, if the candidate had consented then."""
        found = []
        for capture_id in await self._repository.references(progress.session_id, TRACK):
            capture = await self._platform.captures.repository.get(
                progress.organization_id, progress.session_id, capture_id
            )
            try:
                still = await asyncio.to_thread(decode_still, await self._platform.captures.bytes_of(capture))
            except (KeyError, OSError, ValueError):
                continue  # a still that is gone or broken is no reference
            known = await asyncio.to_thread(reference, self._detectors, capture_id, still.image)
            found += [known] if known is not None else []
        return tuple(found)

    async def _accommodate(self, work: _Work, held: str | None) -> None:
        if held != work.accommodations:
            work.settings.replace(await self._repository.accommodated(work.session_id))
            work.accommodations = held

    async def _camera_name(self, work: _Work) -> None:
        """Say once if the camera's name is that of a program."""
        seen = await self._platform.events.of_types(work.organization_id, work.session_id, [26, 60, 1047])
        label = next((e.data["label"] for e in seen if looks_virtual(str(e.data.get("label", "")))), None)
        if label is not None and not any(event.type_id == 1047 for event in seen):
            data = {"label": str(label)[:500], "reason": "the camera's name is that of a program"}
            work.events.append(NewEvent(1047, "server", now_ms(), data))

    async def _piece(self, work: _Work, chunk: Chunk) -> Piece:
        """A chunk with its bytes; one without its beginning, or whose bytes are gone, is unreadable."""
        reason, media = None, b""
        try:
            if work.init is None or work.init[0] != chunk.part:
                holder = await self._beginning(work, chunk)
                work.init = None
                if holder is not None:
                    # the part began when its first chunk says so; a clock set anew meanwhile does not stretch it
                    init = await self._platform.media.bytes_of(holder, init=True)
                    work.init = (chunk.part, init, holder.part_started_at)
            media = await self._platform.media.bytes_of(chunk, init=False, checked=True)
        except KeyError:
            reason = "its bytes are not in the store"
        except ValueError as error:
            reason = str(error)
        if work.init is None:
            reason = "the beginning of the recording is missing"
        _, init, origin = work.init or (0, b"", chunk.part_started_at)
        return Piece(chunk.number, chunk.part, chunk.digest, chunk.position, chunk.at, origin, init, media, reason)

    async def _beginning(self, work: _Work, chunk: Chunk) -> Chunk | None:
        """The chunk with the init segment of a chunk's part, among those that were looked at in time."""
        late = work.course.lane >= 0
        holders = await self._platform.media.repository.inits_of_part(work.session_id, TRACK, chunk.part)
        return next(
            (
                one
                for one in holders
                if late or (one.number <= chunk.number and not work.course.passed_over(one.number))
            ),
            None,
        )

    async def _chunk(self, work: _Work, chunk: Chunk) -> None:
        """Analyse one chunk; one that cannot be read becomes an event, and the work goes on."""
        late = work.course.lane >= 0
        if chunk.has_media:
            piece = await self._piece(work, chunk)
            if work.init is None and not late:
                # its beginning may still come, and then it is looked at with it
                await self._skip(work, chunk.number)
                return
            if work.tries >= TRIES:
                piece = replace(piece, unreadable=ENDED_WORKERS)
            begun = time.monotonic()
            outcome = await self._looked_at(work, piece)
            self._told(work, chunk, outcome)
            await self._take(work, outcome.findings, chunk)
            taken = time.monotonic() - begun
            if taken > CHUNK_SECONDS:
                logger.warning("slow chunk", session_id=work.session_id, number=chunk.number, seconds=round(taken, 1))
        elif late:
            work.course.pass_by(chunk.number)
        if not late:
            work.next_number = chunk.number + 1
        work.unwritten += 1

    async def _looked_at(self, work: _Work, piece: Piece) -> Outcome:
        try:
            async with asyncio.timeout(self._hopeless_s):
                return await asyncio.to_thread(work.course.take, piece)
        except TimeoutError:
            logger.critical(
                "a chunk takes too long: this worker gives up", session_id=work.session_id, number=piece.number
            )
            self._give_up()
            raise

    def _told(self, work: _Work, chunk: Chunk, outcome: Outcome) -> None:
        if outcome.error is not None:
            logger.error("chunk failed", session_id=work.session_id, number=chunk.number, error=repr(outcome.error))
        if outcome.rejected is not None:
            about = {"track": TRACK, "number": chunk.number, "digest": chunk.digest}
            data = {**about, "reason": outcome.rejected[:500]}
            work.events.append(NewEvent(REJECTED, "server", chunk.at, data, [{"kind": "chunk", **about}]))
        CHUNKS.labels("ok" if outcome.rejected is None else "failed" if outcome.error else "rejected").inc()

    async def _skip(self, work: _Work, last: int) -> None:
        """Pass over what is missing, up to this number."""
        logger.info("chunks passed over", session_id=work.session_id, first=work.next_number, last=last)
        await self._take(work, work.course.skip(work.next_number, last), None)
        work.next_number = last + 1
        work.unwritten += 1

    async def _take(self, work: _Work, findings: list[Finding], chunk: Chunk | None) -> None:
        for finding in findings:
            if finding.type_id == NO_TWIN:
                continue
            evidence: list[dict[str, Any]] = []
            if finding.still is not None:
                content = await self._still(work, finding.still, finding.still_at or finding.at)
                work.contents.append(content)
                finding.data["still"] = content.row["id"]
                evidence.append({"kind": "capture", "id": content.row["id"]})
            if chunk is not None:
                evidence.append({"kind": "chunk", "track": TRACK, "number": chunk.number, "digest": chunk.digest})
            work.events.append(NewEvent(finding.type_id, "analysis", finding.at, finding.data, evidence))
            FINDINGS.labels(str(finding.type_id)).inc()

    async def _still(self, work: _Work, image: Image, at: int) -> NewContent:
        data = await asyncio.to_thread(encode_jpeg, image)
        content: NewContent = await self._platform.captures.add_finding(
            work.organization_id, work.session_id, at, data, Still(image, "image/jpeg")
        )
        return content

    async def _late(self, work: _Work) -> None:
        """The session is over and what came in time is looked at: look at what came late, then say that all is done."""
        while True:
            span = work.course.late_span
            if span is not None:
                found = await self._chunks(work.organization_id, work.session_id, span[0])
                chunks = [chunk for chunk in found if chunk.number <= span[1]]
                held = await self._repository.accommodations_of(work.session_id)
                await self._accommodate(work, held)
                for chunk in chunks:
                    await self._chunk(work, chunk)
                    await (self._commit(work) if work.tries else self._commit_some(work))
                if chunks:
                    return  # other sessions wait as well
            await self._take(work, await asyncio.to_thread(work.course.turn), None)
            work.init = None
            if work.course.late_span is None:
                break
        account = work.course.account()
        account["models"] = [{"name": one.name, "digest": one.sha256} for one in model_files(self._detectors)]
        work.events.append(NewEvent(ANALYSED, "server", now_ms(), account))
        await self._commit(work, lease_until=DONE)
        self._sessions.pop(work.session_id, None)

    async def _commit_some(self, work: _Work) -> None:
        if work.events or work.unwritten >= COMMIT_EVERY:
            await self._commit(work)

    async def _commit(self, work: _Work, lease_until: int | None = None) -> None:
        """Findings and progress together, unless another worker has moved the progress on."""
        lease = now_ms() + self._lease_ms if lease_until is None else lease_until
        # what is complete needs no state any more, and it holds a small picture of the candidate
        state = msgspec.json.encode(work.course.dump()).decode() if lease_until != DONE else None
        change = Change(
            "analyses",
            {
                "next_number": work.next_number,
                "state": state,
                "owner": self._owner,
                "lease_until": lease,
                # who goes on has begun with the next chunk
                "tries": int(lease_until is None),
            },
            {"session_id": work.session_id, "next_number": work.written, "owner": self._owner},
        )
        receipt = await self._platform.log.append(
            Append(work.session_id, work.organization_id, work.events, work.contents, [change])
        )
        if not receipt.applied:
            raise _LostLeaseError
        work.written, work.lease_until, work.unwritten, work.tries = work.next_number, lease, 0, 0
        work.events, work.contents = [], []


class _LostLeaseError(Exception):
    """Another worker took the session over."""


def _in_order(chunks: list[Chunk], first: int) -> list[Chunk]:
    """The chunks that follow one another from ``first`` on."""
    found: list[Chunk] = []
    for chunk in chunks:
        if chunk.number != first + len(found):
            break
        found.append(chunk)
    return found


async def work(platform: Any, settings: Any) -> None:
    """Analyse the recordings of a platform until cancelled."""
    # one thing is looked at after the other: always on one thread, whose core has the networks at hand
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, "analysis"))
    detectors = await asyncio.to_thread(Detectors, settings.analysis_runtime, settings.analysis_objects)
    await asyncio.to_thread(detectors.load_all)
    worker = Worker(platform, detectors)
    logger.info("analysis begins", runtime=detectors.faces.runtime, objects=detectors.objects.model.name)
    try:
        await worker.run()
    finally:
        await worker.release()
