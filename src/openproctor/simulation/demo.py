"""The finished sample session of the demo: a synthetic candidate sits the sample exam at a running server.

Nothing is written behind the server's back: the candidate joins, passes the checks, records and finishes over the public
API, in step with the server's clock, and every finding comes from the server's own look at the pictures.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from openproctor.simulation.candidate import Candidate, LineLost, RefusedError
from openproctor.simulation.desktop import screen_frames
from openproctor.simulation.media import CAMERA, MIME_TYPE, SCREEN, Blob, Picture, Sound, record
from openproctor.simulation.protocol import API
from openproctor.simulation.readback import read_events
from openproctor.simulation.scenes import Happening, Scene, Script, camera_frames
from openproctor.simulation.sounds import room_sound

Progress = Callable[[float, str], Any]
"""Called with a fraction of 1 and what is being done."""

SAMPLE_EXAM: dict[str, Any] = {"title": "Sample exam", "url": "/sample-exam/", "policy": {}}
CANDIDATE = {"external_id": "sample-candidate", "name": "Sample Candidate", "email": "sample@candidate.example"}

SITTING = Script(
    seconds=192,
    scenes=(
        Scene(Happening.AWAY, 37, 48),
        Scene(Happening.VISITOR, 92, 101),
        Scene(Happening.PHONE, 112, 122),
        Scene(Happening.BOOKS, 142, 150),
    ),
    spoken=((91, 102),),
    typed=((4, 31), (52, 66), (84, 94), (160, 187)),
    other_window=((70, 82),),
    seed=1,
)
SCREEN_STOPPED, SCREEN_BACK = 128, 136
IDLE_FROM, ACTIVE_AGAIN = 94, 160
LINE_LOST, LINE_BACK = 164, 183

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
) -> str:
    """Make the sample session and wait until the server has looked at it; its id.

    Keeps step with the server's clock: as long as the sitting on an ordinary server, shorter on one whose clock runs
    faster. Does nothing if the session is completed already; goes on to the next attempt if an earlier one was broken
    off. ``recording`` is what :func:`encode_sitting` made, if that was done before. Raises :class:`RefusedError` or
    ``httpx.TransportError`` if the server refuses or goes away.
    """
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as http:
        session = await _session(http)
        if session["state"] != "completed":
            if recording is None:
                recording = await encode_sitting(lambda share: on_progress(share * _ENCODING, "Encoding a recording"))
            async with Candidate(base_url, session["join_url"]) as candidate:
                await _sit(candidate, recording, on_progress)
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


async def _sit(candidate: Candidate, recording: Recording, on_progress: Progress) -> None:
    on_progress(_ENCODING, "Joining and passing the checks")
    candidate.heartbeat_s = 0.3  # also keeps step with a server whose clock runs fast
    await candidate.join()
    await candidate.connect()
    await candidate.pass_checks(SITTING.seed)
    room = await candidate.start()
    sitting = _Sitting(candidate, room["started_at"] + 1000)
    watch = asyncio.create_task(sitting.tell(on_progress))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sitting.record("camera", recording.camera, 0, 0, 0))
            tasks.create_task(sitting.record("screen", recording.screen, 0, 0, 0))
            again = len(recording.screen)
            tasks.create_task(sitting.record("screen", recording.screen_again, SCREEN_BACK, again, 1))
            tasks.create_task(sitting.act())
    finally:
        watch.cancel()
    await candidate.finish()


class _Sitting:
    """What the candidate does, by the server's clock. Times are seconds from the beginning of the recording."""

    def __init__(self, candidate: Candidate, began_at: int) -> None:
        self._candidate = candidate
        self._began_at = began_at
        self._line = asyncio.Event()
        self._line.set()

    def _at(self, second: float) -> int:
        return round(self._began_at + second * 1000)

    async def _until(self, second: float) -> None:
        await self._candidate.clock.until(self._at(second))

    async def tell(self, on_progress: Progress) -> None:
        """Report how far the sitting is."""
        while True:
            share = (self._candidate.clock.now() - self._began_at) / 1000 / SITTING.seconds
            on_progress(_ENCODING + (_SITTING - _ENCODING) * min(1.0, max(0.0, share)), "Sitting the sample exam")
            await asyncio.sleep(0.5)

    async def record(self, track: str, blobs: list[Blob], from_s: float, first: int, part: int) -> None:
        """Upload a part as its blobs come out of the recorder; what comes while the line is lost waits."""
        began = self._at(from_s)
        for number, blob in enumerate(blobs, first):
            await self._until(from_s + max(blob.until_ms, blobs[1].until_ms) / 1000)
            await self._line.wait()
            answer = await self._candidate.put_chunk(track, number, blob, part=part, started_at=began)
            if answer.status_code >= 400:
                raise RefusedError(answer.status_code, answer.json())
            if number == first + 1:
                started = {"track": track, "part": part, "mime_type": MIME_TYPE}
                await self._candidate.say(13, started, at=began)
        ended = from_s + blobs[-1].until_ms / 1000
        reason = "finished" if ended >= SITTING.seconds else "track_ended"
        stopped = {"track": track, "part": part, "reason": reason, "last_number": first + len(blobs) - 1}
        await self._candidate.say(14, stopped, at=self._at(ended))

    async def act(self) -> None:
        """Everything else, in the order of time."""
        ((window_from, window_until),) = SITTING.other_window
        surface = {"surface": "monitor", "width": 1280, "height": 720}
        say = self._candidate.say
        plan: list[tuple[float, Callable[[int], Awaitable[None]]]] = [
            (window_from, lambda at: say(5, {"reason": "blur"}, at)),
            (window_until, lambda at: say(4, {"away_ms": round((window_until - window_from) * 1000)}, at)),
            (window_until + 2, lambda at: say(1022, {"action": "paste", "length": 118}, at)),
            (SCREEN_STOPPED, lambda at: say(12, {"reason": "ended"}, at)),
            (SCREEN_BACK, lambda at: say(149, surface, at)),
            (
                SCREEN_BACK,
                lambda at: say(1006, {**surface, "stopped_ms": (SCREEN_BACK - SCREEN_STOPPED) * 1000}, at),
            ),
            (IDLE_FROM + 60, lambda at: say(6, {"idle_after_ms": 60_000}, at)),
            (ACTIVE_AGAIN, lambda at: say(7, {"idle_ms": (ACTIVE_AGAIN - IDLE_FROM) * 1000}, at)),
            (LINE_LOST, self._lose_line),
            (LINE_LOST + 6, lambda at: self._fail_to_connect(1, at)),
            (LINE_LOST + 14, lambda at: self._fail_to_connect(2, at)),
            (LINE_BACK, self._find_line),
            (LINE_BACK + 4, lambda at: say(1085, {"text": "My line was gone for a moment, it is back now."}, at)),
        ]
        for second, action in plan:
            await self._until(second)
            await action(self._at(second))
        await self._until(SITTING.seconds)

    async def _lose_line(self, _at: int) -> None:
        self._line.clear()
        await self._candidate.cut()

    async def _fail_to_connect(self, attempt: int, at: int) -> None:
        self._candidate.attempts = attempt
        self._candidate.note(158, {"attempt": attempt, "error": "The network is not reachable."}, at)

    async def _find_line(self, _at: int) -> None:
        await self._candidate.look()
        await self._candidate.connect()
        self._line.set()
        await self._candidate.flush()


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
