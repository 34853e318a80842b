"""Request bodies: read with a limit, compared with their digest."""

import base64
import binascii
import hashlib

from starlette.requests import Request

from openproctor.errors import Problem


def is_number(text: str, digits: int) -> bool:
    """Whether a header or a parameter is a whole number of so many digits at most; ² and ٣ are digits too, but not here."""
    return text.isascii() and text.isdecimal() and len(text) <= digits


async def read_body(request: Request, limit: int, what: str) -> bytes:
    """The body, at most ``limit`` bytes; :class:`Problem` 413 without reading further."""
    declared = request.headers.get("content-length", "")
    if is_number(declared, 18) and int(declared) > limit:
        raise _too_large(limit, what)
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _too_large(limit, what)
    return b"".join(parts)


def _too_large(limit: int, what: str) -> Problem:
    return Problem(413, "too-large", f"The {what} is too large", f"At most {limit} bytes are taken.")


def announced_digest(header: str) -> bytes:
    """The SHA-256 of ``Content-Digest: sha-256=:…:`` (RFC 9530); :class:`Problem` 400 when it is missing or malformed."""
    announced = None
    for member in header.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256" and value.startswith(":") and value.endswith(":") and len(value) > 2:
            try:
                announced = base64.b64decode(value[1:-1], validate=True)
            except binascii.Error:
                announced = None
    if announced is None or len(announced) != hashlib.sha256().digest_size:
        raise Problem(
            400,
            "digest-missing",
            "The digest is missing",
            "Expected a header 'Content-Digest: sha-256=:BASE64:' (RFC 9530).",
        )
    return announced


def check_bytes(announced: bytes, data: bytes) -> None:
    """Compare data with its announced SHA-256; :class:`Problem` 400 when it does not fit."""
    actual = hashlib.sha256(data).digest()
    if actual != announced:
        raise Problem(
            400,
            "digest-mismatch",
            "The digest does not fit",
            f"The body's SHA-256 is {actual.hex()}, the header says {announced.hex()}.",
            what_to_do="Send it again; it was changed or cut off on its way.",
        )
