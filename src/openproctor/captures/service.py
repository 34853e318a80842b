"""Rules of stills: take, keep, check, and confirm the events that speak of them."""

import asyncio
import hashlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from openproctor.accounts.signing import Signer
from openproctor.captures.checks import CheckResult, check_document, check_face, check_room
from openproctor.captures.repository import Capture, CaptureRepository
from openproctor.clock import now_ms
from openproctor.config import Settings
from openproctor.errors import Problem
from openproctor.eventlog.entries import Append, NewContent, NewEvent
from openproctor.eventlog.writer import LogWriter
from openproctor.ids import is_id, new_id
from openproctor.sessions.repository import Session
from openproctor.storage.objects import Objects
from openproctor.vision import quality
from openproctor.vision.frames import Still, StillError, decode_still, shrunk

KINDS = ("face", "document", "room", "camera_test")
FINDING = "finding"
# the camera test's two pictures: darker than this (of 255) is black, closer than this (mean difference) is frozen
BLACK_BELOW = 8.0
FROZEN_BELOW = 0.05
OUTCOMES = {"face": (154, 155), "document": (156, 1002)}
ROOM_OUTCOME = (161, 1003)
MAX_CAPTURES = 500
# room pictures are compared all together: more than this longer side only fills the memory
ROOM_LONGEST = 1920


class Captures:
    """Stills of all sessions."""

    def __init__(
        self, repository: CaptureRepository, log: LogWriter, objects: Objects, signer: Signer, settings: Settings
    ) -> None:
        self.repository = repository
        self._log = log
        self._objects = objects
        self._signer = signer
        self._settings = settings
        # decoding and looking at stills is heavy; two at a time leave the event loop and the recordings room
        self._busy = asyncio.Semaphore(2)

    # -- taking ------------------------------------------------------------------------------------------------------

    async def take(
        self, session: Session, capture_id: str, kind: str, captured_at: int, digest: str, data: bytes
    ) -> tuple[dict[str, Any], bool]:
        """Store a still from the candidate's page, and check it at once if it is of the face or the document.

        Returns the answer and whether the still was new. Raises :class:`Problem` and then stores nothing.
        """
        if not is_id(capture_id):
            raise Problem(400, "bad-id", "The still's id is not usable", "Expected a lower-case ULID of 26 characters.")
        if kind not in KINDS:
            raise Problem(400, "bad-kind", "There is no such kind of still", f"Expected one of {', '.join(KINDS)}.")
        existing = await self.repository.get(session.organization_id, session.id, capture_id)
        if existing:
            if existing.digest != digest:
                raise _id_taken()
            return self._answer(existing), False
        still = await self._decode(data)
        verdict: CheckResult | None = None
        events: list[NewEvent] = []
        captured_at = min(max(captured_at, session.created_at), now_ms())
        if kind in OUTCOMES:
            verdict = await self._check(session, kind, still)
            events.append(outcome_event(OUTCOMES[kind], verdict, [capture_id]))
        new = await self._keep(session, capture_id, kind, captured_at, still, data, digest, verdict, events)
        stored = await self.repository.get(session.organization_id, session.id, capture_id)
        if stored is None:
            raise _id_taken()
        return self._answer(stored), new

    async def add_finding(
        self, organization_id: str, session_id: str, at: int, jpeg: bytes, still: Still
    ) -> NewContent:
        """Store the bytes of a finding's still; the returned row is to be appended with the finding itself."""
        digest = hashlib.sha256(jpeg).hexdigest()
        capture_id = new_id()
        return await self._content(organization_id, session_id, capture_id, FINDING, at, still, jpeg, digest, None)

    async def _decode(self, data: bytes) -> Still:
        async with self._busy:
            try:
                return await asyncio.to_thread(decode_still, data, self._settings.max_capture_pixels)
            except StillError as error:
                if error.code == "image-too-large":
                    raise Problem(422, error.code, "The picture is too large", str(error)) from error
                raise Problem(415, error.code, "This is not a picture", str(error)) from error

    async def _room_picture(self, capture: Capture) -> npt.NDArray[np.uint8]:
        """A stored still, its longer side at most ``ROOM_LONGEST`` pixels."""
        image = (await self._decode(await self._objects.get(capture.object_key))).image
        return await asyncio.to_thread(shrunk, image, ROOM_LONGEST)

    async def _check(self, session: Session, kind: str, still: Still) -> CheckResult:
        async with self._busy:
            if kind == "face":
                return await asyncio.to_thread(check_face, still.image)
            return await asyncio.to_thread(
                check_document, still.image, require_face=session.policy.document_face_required
            )

    async def _content(
        self,
        organization_id: str,
        session_id: str,
        capture_id: str,
        kind: str,
        captured_at: int,
        still: Still,
        data: bytes,
        digest: str,
        verdict: CheckResult | None,
    ) -> NewContent:
        key = f"{organization_id}/{session_id}/stills/{capture_id}-{digest[:16]}"
        await self._objects.put(key, data)
        row = {
            "id": capture_id,
            "kind": kind,
            "captured_at": captured_at,
            "received_at": now_ms(),
            "media_type": still.media_type,
            "width": still.width,
            "height": still.height,
            "size": len(data),
            "digest": digest,
            "object_key": key,
            "verdict": msgspec.json.encode(verdict_document(verdict)).decode() if verdict else None,
        }
        content = {"at": captured_at, "digest": digest, "id": capture_id, "kind": kind, "size": len(data)}
        return NewContent("still", "captures", ("id",), row, content)

    async def _keep(
        self,
        session: Session,
        capture_id: str,
        kind: str,
        captured_at: int,
        still: Still,
        data: bytes,
        digest: str,
        verdict: CheckResult | None,
        events: list[NewEvent],
    ) -> bool:
        """Store and link a still; whether it was new. :class:`Problem` 409 when its id holds other bytes."""
        head = await self.repository.of_session(session.organization_id, session.id)
        if sum(capture.kind != FINDING for capture in head) >= MAX_CAPTURES:
            raise Problem(409, "too-many-stills", "Too many stills", f"At most {MAX_CAPTURES} are taken in a session.")
        content = await self._content(
            session.organization_id, session.id, capture_id, kind, captured_at, still, data, digest, verdict
        )
        receipt = await self._log.append(Append(session.id, session.organization_id, events, [content]))
        existing = receipt.existing[0]
        if existing is not None and existing["digest"] != digest:
            # another one came while this one was looked at
            if existing["object_key"] != content.row["object_key"]:
                await self._objects.delete(content.row["object_key"])
            raise _id_taken()
        return existing is None

    async def check_room(self, session: Session, capture_ids: list[str]) -> dict[str, Any]:
        """Check the room pictures together; the outcome goes into the log."""
        found = await self.repository.some(session.id, capture_ids)
        unknown = [c for c in capture_ids if c not in found or found[c].kind != "room"]
        if unknown or not capture_ids:
            raise Problem(
                422,
                "unknown-stills",
                "Some room pictures are not there",
                f"Not stored as room pictures: {', '.join(unknown)[:500]}.",
            )
        images: list[npt.NDArray[np.uint8]] = [
            await self._room_picture(found[capture_id]) for capture_id in dict.fromkeys(capture_ids)
        ]
        async with self._busy:
            verdict = await asyncio.to_thread(check_room, images, session.policy.room_pictures)
        event = outcome_event(ROOM_OUTCOME, verdict, list(dict.fromkeys(capture_ids)))
        await self._log.append(Append(session.id, session.organization_id, [event]))
        return verdict_document(verdict)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def of_session(self, organization_id: str, session_id: str) -> list[dict[str, Any]]:
        """All stills of a session, with signed links."""
        return [
            {
                "id": c.id,
                "kind": c.kind,
                "captured_at": c.captured_at,
                "width": c.width,
                "height": c.height,
                "size": c.size,
                "digest": c.digest,
                **(c.verdict or {}),
                "url": self.link(session_id, c.id),
            }
            for c in await self.repository.of_session(organization_id, session_id)
        ]

    async def bytes_of(self, capture: Capture) -> bytes:
        """The picture as it came."""
        return await self._objects.get(capture.object_key)

    def link(self, session_id: str, capture_id: str) -> str:
        """A short-lived link to a picture."""
        path = f"/api/v1/sessions/{session_id}/captures/{capture_id}/image"
        return self._signer.sign_path(path, self._settings.signed_link_minutes * 60_000)

    def reference(self, session_id: str, evidence: dict[str, Any]) -> dict[str, Any]:
        """An event's evidence as the API gives it: stills get a link."""
        if evidence.get("kind") == "capture":
            return {**evidence, "url": self.link(session_id, evidence["id"])}
        return evidence

    def _answer(self, capture: Capture) -> dict[str, Any]:
        return {
            "id": capture.id,
            "kind": capture.kind,
            "digest": capture.digest,
            "width": capture.width,
            "height": capture.height,
            "check": capture.verdict,
        }

    # -- what sessions ask -----------------------------------------------------------------------------------------

    async def confirm_evidence(self, session: Session, event: NewEvent) -> str | None:
        """Evidence that an event names must be stored, in this session."""
        ids = [e["id"] for e in event.evidence if e.get("kind") == "capture"]
        data = event.data
        ids += [data["evidence_id"]] if "evidence_id" in data else []
        ids += data.get("evidence_ids", [])
        found = await self.repository.some(session.id, ids)
        missing = [i for i in ids if i not in found]
        if missing:
            return f"no still {missing[0]} is stored in this session"
        known = {e["id"] for e in event.evidence if e.get("kind") == "capture"}
        event.evidence += [{"kind": "capture", "id": i} for i in ids if i not in known]
        wanted = {145: "document", 146: "face", 26: "camera_test"}.get(event.type_id)
        wrong = [i for i in ids if wanted and found[i].kind != wanted]
        return f"the still {wrong[0]} is of kind {found[wrong[0]].kind}, not {wanted}" if wrong else None

    async def confirm_still(self, _session: Session, event: NewEvent) -> str | None:
        """Events 145 and 146 need their still."""
        return None if "evidence_id" in event.data else "evidence_id is missing"

    async def confirm_camera(self, session: Session, event: NewEvent) -> str | None:
        """Event 26 counts when its two pictures are neither black nor the same."""
        ids = event.data.get("evidence_ids", [])
        if len(set(ids)) < 2:
            return "two pictures of the camera test are needed"
        found = await self.repository.some(session.id, ids)
        images = [
            (await self._decode(await self._objects.get(found[capture_id].object_key))).image for capture_id in ids[:2]
        ]
        lights = [float(quality.grey(image).mean()) for image in images]
        if max(lights) < BLACK_BELOW:
            return "the camera's pictures are black"
        if images[0].shape == images[1].shape:
            difference = np.abs(images[0].astype(np.int16) - images[1].astype(np.int16)).mean()
            if float(difference) < FROZEN_BELOW:
                return "the camera's pictures do not change"
        return None


def _id_taken() -> Problem:
    return Problem(409, "id-taken", "This id holds another still", "Take a new id for a new still.")


def verdict_document(verdict: CheckResult) -> dict[str, Any]:
    """A check's result as the API gives it: reasons in words the candidate can act on."""
    return {
        "passed": verdict.passed,
        "reasons": [
            {"code": code, "message": message} for code, message in zip(verdict.reasons, verdict.messages, strict=True)
        ],
        "measures": verdict.measures,
    }


def outcome_event(types: tuple[int, int], verdict: CheckResult, capture_ids: list[str]) -> NewEvent:
    """The event of a check: the first type when it passed, else the second."""
    data: dict[str, Any] = {"evidence_ids": capture_ids, "measures": verdict.measures}
    if not verdict.passed:
        data["reasons"] = list(verdict.reasons)
    evidence = [{"kind": "capture", "id": capture_id} for capture_id in capture_ids]
    return NewEvent(types[0] if verdict.passed else types[1], "server", now_ms(), data, evidence)
