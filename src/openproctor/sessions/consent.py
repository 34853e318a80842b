"""The text a candidate agrees to: what is recorded, by whom, for how long. Made from the exam's policy."""

import hashlib
from typing import Any

from openproctor.eventlog.canonical import canonical
from openproctor.exams.policy import Policy

VERSION = 1


def consent_text(policy: Policy, organization: str, exam: str) -> dict[str, Any]:
    """``{text_digest, text: {title, paragraphs, recorded, by, kept_days}}``; the digest goes into event 1080."""
    recorded = []
    if policy.tracks.camera:
        recorded.append("Your camera picture" + (" and microphone sound" if policy.tracks.camera.audio else ""))
    if policy.tracks.screen:
        recorded.append("Your whole screen" if policy.whole_screen else "The screen or window that you share")
    stills = [
        words
        for check, words in (
            ("face", "a picture of your face"),
            ("document", "a picture of your identity document"),
            ("room", "some pictures of your room"),
        )
        if check in policy.checks
    ]
    if stills:
        recorded.append("Before the exam: " + ", ".join(stills))
    recorded.append("What happens in the exam window: when it is left, when nothing is typed, when the line is lost")
    looked_for = []
    if policy.detectors.faces:
        looked_for.append("whether one person is in view")
    if policy.detectors.objects:
        looked_for.append("whether a phone or a book is in view")
    if policy.detectors.speech and policy.tracks.camera and policy.tracks.camera.audio:
        looked_for.append("whether speech is heard")
    if policy.detectors.looking_away:
        looked_for.append("where you look")
    if policy.detectors.face_mismatch:
        looked_for.append("whether the face in view is the one in your face picture (this compares biometric features)")
    paragraphs = [
        f"{organization} asked for the exam “{exam}” to be supervised. During the exam the following is recorded.",
    ]
    if looked_for:
        paragraphs.append(
            "A program looks at the recording: "
            + "; ".join(looked_for)
            + ". What it notes are hints for a person to look at. No program decides about your result."
        )
    paragraphs.append(
        f"Only people whom {organization} has charged with it can see the recording. "
        f"It is kept for {policy.retention_days} days and then deleted. "
        "You may ask what is stored about you, and may object to it."
    )
    text = {
        "version": VERSION,
        "title": "What is recorded, and why",
        "paragraphs": paragraphs,
        "recorded": recorded,
        "by": organization,
        "kept_days": policy.retention_days,
    }
    return {"text_digest": hashlib.sha256(canonical(text)).hexdigest(), "text": text}
