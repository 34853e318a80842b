"""Cameras that are programs, known by their names. A name is a hint, not a proof: it can be changed, and many people use
such a program for honest reasons."""

import re

# names under which common virtual cameras show up in a browser's list of devices
_NAMES = re.compile(
    r"\b(obs[- ]?(virtual|camera)|virtual (cam|camera|webcam)|manycam|snap camera|xsplit|splitcam|youcam|chromacam"
    r"|mmhmm|camtwist|webcamoid|v4l2loopback|dummy video device|e2esoft|vcam|sparkocam|altercam|fakecam|prism live"
    r"|unity video capture|ndi (video|webcam)|newtek|nvidia broadcast|avatarify|deepfacelive)\b",
    re.IGNORECASE,
)


def looks_virtual(label: str) -> bool:
    """Whether a device's label is that of a program that plays a camera."""
    return bool(_NAMES.search(label))
