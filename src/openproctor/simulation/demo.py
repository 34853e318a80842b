"""The finished sample session of the demo: a synthetic candidate sits the sample exam at a running server.

Nothing is written behind the server's back: the candidate joins, passes the checks, records and finishes over the public
API, in step with the server's clock, and every finding comes from the server's own look at the pictures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from openproctor.simulation.candidate import Candidate, LineLost, RefusedError, ServerClock
from openproctor.simulation.desktop import screen_frames
from openproctor.simulation.media import CAMERA, MIME_TYPE, SCREEN, Blob, Picture, Sound, record
from openproctor.simulation.protocol import API
from openproctor.simulation.readback import read_events
from openproctor.simulation.scenes import Happening, Scene, Script, camera_frames
from openproctor.simulation.sounds import room_sound

Progress = Callable[[float, str], Any]
"""Called with a fraction of 1 and what is being done."""
SetClock = Callable[[int], Any]
"""Sets a server's clock, ms since 1970."""

SAMPLE_EXAM: dict[str, Any] = {"title": "Sample exam", "url": "/sample-exam/", "policy": {}}
CANDIDATE = {"external_id": "sample-candidate", "name": "Sample Candidate", "email": "sample@candidate.example"}

SITTING = Script(
    seconds=192,
    scenes=(
        Scene(Happening.AWAY, 37, 48),
        Scene(Happening.VISITOR, 92, 101),
        Scene(Happening.PHONE, 112, 122),
        Scene(Happening.BOOKS, 142, 156),
    ),
    spoken=((91, 102),),
    typed=((4, 31), (52, 66), (84, 94), (160, 187)),
    other_window=((70, 82),),
    seed=1,
)
SCREEN_STOPPED, SCREEN_BACK = 128, 136
IDLE_FROM, ACTIVE_AGAIN = 94, 160
LINE_LOST, LINE_BACK = 164, 183
DISCONNECTED, OFFLINE = 10, 181

# what the server's analysis is expected to see: no face, several faces, a phone, books
EXPECTED = frozenset({16, 81, 169, 170})
QUIET_SECONDS = 6.0  # the analysis is done when it has said what is expected and then nothing for this long
ANALYSIS_SECONDS = 180.0

_ENCODING, _SITTING = 0.35, 0.75  # shares of the progress at which a stage ends


@dataclass(frozen=True, slots=True)
class Recording:
    """The encoded parts: one of the camera, two of the screen."""

    camera: list[Blob]
    screen: list[Blob]
    screen_again: list[Blob]


async def play_sample_session(
    base_url: str,
    api_key: str,
    on_progress: Progress = lambda _share, _words: None,
    *,
    recording: Recording | None = None,
    set_clock: SetClock | None = None,
) -> str:
    """Make the sample session and wait until the server has looked at it; its id.

    On an ordinary server it takes as long as the sitting, some three minutes. ``set_clock`` is for a server of our own
    whose clock we may set (ms since 1970): the sitting then lies in the minutes before now and takes some seconds.
    ``recording`` is what :func:`encode_sitting` made, if that was done before.

    Does nothing if the session is completed already; goes on to the next attempt if an earlier one was broken off.
    Raises :class:`RefusedError` or ``httpx.TransportError`` if the server refuses or goes away.
    """
    headers = {"Authorization": f"Bearer {api_key}"}
    # the whole sitting ends a little before now
    began_ms = round((time.time() - SITTING.seconds - 70) * 1000)
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as http:
        if set_clock:
            set_clock(began_ms)
        session = await _session(http)
        if session["state"] != "completed":
            if recording is None:
                recording = await encode_sitting(lambda share: on_progress(share * _ENCODING, "Encoding a recording"))
            clock = SteppedClock(set_clock, began_ms) if set_clock else None
            async with Candidate(base_url, session["join_url"], clock=clock) as candidate:
                if clock:
                    clock.candidate, candidate.heartbeat_s = candidate, 3600.0
                await _Sitting(candidate, http, recording).play(on_progress)
        if not set_clock:  # a server whose clock stands analyses nothing; the one after it does
            await _wait_for_findings(http, session["id"], on_progress)
    on_progress(1.0, "The sample session is finished")
    return str(session["id"])


async def _session(http: httpx.AsyncClient) -> dict[str, Any]:
    """The first attempt that is completed or not yet begun."""
    exams = (await _ask(http, "GET", "/exams"))["items"]
    wanted = (SAMPLE_EXAM["title"], SAMPLE_EXAM["url"])
    exam = next((e for e in exams if (e["title"], e.get("url")) == wanted), None)
    exam = exam or await _ask(http, "POST", "/exams", json=SAMPLE_EXAM)
    attempt = 0
    while True:
        attempt += 1
        body = {"exam_id": exam["id"], "candidate": CANDIDATE, "attempt": attempt}
        session = await _ask(http, "POST", "/sessions", json=body)
        if session["state"] in ("created", "completed"):
            return session


async def _ask(http: httpx.AsyncClient, method: str, path: str, **how: Any) -> dict[str, Any]:
    answer = await http.request(method, API + path, **how)
    if answer.status_code >= 400:
        raise RefusedError(answer.status_code, answer.json())
    body: Any = answer.json()
    return body if isinstance(body, dict) else {"items": body}


# -- the recording -----------------------------------------------------------------------------------------------------


async def encode_sitting(on_share: Callable[[float], Any] = lambda _share: None) -> Recording:
    """Encode camera and screen side by side, beside the event loop."""
    done = {"camera": 0, "screen": 0}
    total = SITTING.seconds * (CAMERA.frame_rate + SCREEN.frame_rate)

    def counted(name: str, frames: Iterator[Picture]) -> Iterator[Picture]:
        for frame in frames:
            done[name] += 1
            yield frame

    def camera() -> list[Blob]:
        return list(record(counted("camera", camera_frames(SITTING)), CAMERA, _sound()))

    def screen(from_s: float, until_s: float) -> list[Blob]:
        frames = screen_frames(SITTING, from_s=from_s)
        wanted = round((until_s - from_s) * SCREEN.frame_rate)
        return list(record(counted("screen", (f for _, f in zip(range(wanted), frames, strict=False))), SCREEN))

    def screens() -> tuple[list[Blob], list[Blob]]:
        return screen(0, SCREEN_STOPPED), screen(SCREEN_BACK, SITTING.seconds)

    work = asyncio.gather(asyncio.to_thread(camera), asyncio.to_thread(screens))
    while not work.done():
        await asyncio.wait([work], timeout=0.5)
        on_share(min(1.0, sum(done.values()) / total))
    pictures, (first, second) = await work
    return Recording(pictures, first, second)


def _sound() -> Iterator[Sound]:
    return room_sound(SITTING.seconds, SITTING.spoken, SITTING.typed, SITTING.seed)


# -- the sitting -------------------------------------------------------------------------------------------------------


class SteppedClock(ServerClock):
    """The clock of a server that stands still between the steps that the sitting makes it take."""

    def __init__(self, set_clock: SetClock, at_ms: int) -> None:
        super().__init__()
        self._set = set_clock
        self._at = at_ms
        self.candidate: Candidate | None = None
        set_clock(at_ms)

    def now(self) -> int:
        return self._at

    def observe(self, server_ms: float, asked_at: float, answered_at: float) -> None:
        """The server's time is what we say: there is nothing to learn."""

    async def until(self, server_ms: float) -> None:
        """Step there; a heartbeat at every step keeps the line alive."""
        while self._at < server_ms:
            self._at = min(self._at + 1000, round(server_ms))
            self._set(self._at)
            if self.candidate is not None and self.candidate.connected:
                await self.candidate.ping()


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that the candidate does at a second of the sitting."""

    second: float
    act: Callable[[], Awaitable[None]]


class _Sitting:
    """One candidate's exam. Times are seconds from the beginning of the recording."""

    def __init__(self, candidate: Candidate, staff: httpx.AsyncClient, recording: Recording) -> None:
        self._candidate = candidate
        self._staff = staff
        self._recording = recording
        self._began_at = 0

    def _at(self, second: float) -> int:
        return round(self._began_at + second * 1000)

    async def play(self, on_progress: Progress) -> None:
        """Join, pass the checks, sit the exam, hand in."""
        candidate = self._candidate
        on_progress(_ENCODING, "Joining and passing the checks")
        await candidate.join()
        await candidate.connect()
        stepped = isinstance(candidate.clock, SteppedClock)
        await candidate.pass_checks(SITTING.seed, self._think if stepped else None)
        room = await candidate.start()
        self._began_at = room["started_at"] + 1000
        for step in sorted([*self._acts(), *self._uploads()], key=lambda step: step.second):
            await candidate.clock.until(self._at(step.second))
            await step.act()
            share = min(1.0, step.second / SITTING.seconds)
            on_progress(_ENCODING + (_SITTING - _ENCODING) * share, "Sitting the sample exam")
        await candidate.finish()

    async def _think(self) -> None:
        """The seconds that a person needs for a check."""
        await self._candidate.clock.until(self._candidate.clock.now() + 5000)

    def _uploads(self) -> Iterator[_Step]:
        """Blobs as they come out of the recorders; what comes while the line is lost waits for it."""
        again = len(self._recording.screen)
        yield from self._part("camera", self._recording.camera, 0, 0, 0)
        yield from self._part("screen", self._recording.screen, 0, 0, 0)
        yield from self._part("screen", self._recording.screen_again, SCREEN_BACK, again, 1)

    def _part(self, track: str, blobs: list[Blob], from_s: float, first: int, part: int) -> Iterator[_Step]:
        for number, blob in enumerate(blobs, first):
            due = from_s + max(blob.until_ms, blobs[1].until_ms) / 1000
            due = LINE_BACK + 0.5 if LINE_LOST <= due < LINE_BACK + 0.5 else due
            yield _Step(due, partial(self._upload, track, number, blob, from_s, part))
            if number == first + 1:
                started = {"track": track, "part": part, "mime_type": MIME_TYPE}
                yield _Step(due, partial(self._say, 13, started, from_s))
        ended = from_s + blobs[-1].until_ms / 1000
        reason = "finished" if ended >= SITTING.seconds else "track_ended"
        stopped = {"track": track, "part": part, "reason": reason, "last_number": first + len(blobs) - 1}
        yield _Step(ended, partial(self._say, 14, stopped, ended))

    def _acts(self) -> Iterator[_Step]:
        """Everything else that happens."""
        ((window_from, window_until),) = SITTING.other_window
        away_ms = round((window_until - window_from) * 1000)
        surface = {"surface": "monitor", "width": 1280, "height": 720}
        said: tuple[tuple[float, int, dict[str, Any]], ...] = (
            (window_from, 5, {"reason": "blur"}),
            (window_until, 4, {"away_ms": away_ms}),
            (window_until + 2, 1022, {"action": "paste", "length": 118}),
            (SCREEN_STOPPED, 12, {"reason": "ended"}),
            (SCREEN_BACK, 149, surface),
            (SCREEN_BACK, 1006, {**surface, "stopped_ms": (SCREEN_BACK - SCREEN_STOPPED) * 1000}),
            (IDLE_FROM + 60, 6, {"idle_after_ms": 60_000}),
            (ACTIVE_AGAIN, 7, {"idle_ms": (ACTIVE_AGAIN - IDLE_FROM) * 1000}),
            (LINE_BACK + 4, 1085, {"text": "My line was gone for a moment, it is back now."}),
        )
        for second, type_id, data in said:
            yield _Step(second, partial(self._say, type_id, data, second))
        yield _Step(LINE_LOST, self._lose_line)
        for attempt, second in enumerate((LINE_LOST + 6, LINE_LOST + 14), 1):
            yield _Step(second, partial(self._fail_to_connect, attempt, second))
        if not isinstance(self._candidate.clock, SteppedClock):  # a server notices silence by no clock that can be set
            yield _Step(LINE_LOST + 16, partial(self._see, OFFLINE))
        yield _Step(LINE_BACK, self._find_line)

    async def _say(self, type_id: int, data: dict[str, Any], second: float) -> None:
        await self._candidate.say(type_id, data, self._at(second))

    async def _upload(self, track: str, number: int, blob: Blob, from_s: float, part: int) -> None:
        answer = await self._candidate.put_chunk(track, number, blob, part=part, started_at=self._at(from_s))
        if answer.status_code >= 400:
            raise RefusedError(answer.status_code, answer.json())

    async def _lose_line(self) -> None:
        await self._candidate.cut()
        await self._see(DISCONNECTED)

    async def _fail_to_connect(self, attempt: int, second: float) -> None:
        self._candidate.attempts = attempt
        data = {"attempt": attempt, "error": "The network is not reachable."}
        self._candidate.note(158, data, self._at(second))

    async def _find_line(self) -> None:
        await self._candidate.connect(offline=(self._at(LINE_LOST), self._at(LINE_BACK)))
        await self._candidate.flush()

    async def _see(self, type_id: int) -> None:
        """Wait until the server has noticed, which it does within a second."""
        path = f"/sessions/{self._candidate.session_id}/events"
        for _ in range(100):
            if (await _ask(self._staff, "GET", path, params={"type_id": type_id}))["items"]:
                return
            await asyncio.sleep(0.1)


# -- the findings ------------------------------------------------------------------------------------------------------


async def _wait_for_findings(http: httpx.AsyncClient, session_id: str, on_progress: Progress) -> None:
    """Wait until the analysis has said what it must see here and then nothing more, or until waiting is too long."""
    loop = asyncio.get_running_loop()
    began = changed = loop.time()
    count = -1
    while loop.time() - began < ANALYSIS_SECONDS:
        try:
            events = [e for e in await read_events(http, session_id) if e["source"] == "analysis"]
        except LineLost:
            await asyncio.sleep(1)
            continue
        if len(events) != count:
            count, changed = len(events), loop.time()
        seen = EXPECTED & {event["type_id"] for event in events}
        share = min(1.0, 0.8 * len(seen) / len(EXPECTED) + 0.2 * (loop.time() - began) / ANALYSIS_SECONDS)
        on_progress(_SITTING + (1 - _SITTING) * share, "The server looks at the recording")
        if seen == EXPECTED and loop.time() - changed >= QUIET_SECONDS:
            return
        await asyncio.sleep(0.5)
