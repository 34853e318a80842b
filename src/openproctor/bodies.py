"""Request bodies: read with a limit, compared with their digest."""

import base64
import binascii
import hashlib

from starlette.requests import Request

from openproctor.errors import Problem


async def read_body(request: Request, limit: int, what: str) -> bytes:
    """The body, at most ``limit`` bytes; :class:`Problem` 413 without reading further."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
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


def check_digest(header: str, data: bytes) -> str:
    """Compare data with its ``Content-Digest: sha-256=:…:`` (RFC 9530); the digest in hex.

    Raises :class:`Problem` 400 when the header is missing, malformed or does not fit.
    """
    wanted = None
    for member in header.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256" and value.startswith(":") and value.endswith(":") and len(value) > 2:
            try:
                wanted = base64.b64decode(value[1:-1], validate=True)
            except binascii.Error:
                wanted = None
    if wanted is None:
        raise Problem(
            400,
            "digest-missing",
            "The digest is missing",
            "Expected a header 'Content-Digest: sha-256=:BASE64:' (RFC 9530).",
        )
    actual = hashlib.sha256(data).digest()
    if actual != wanted:
        raise Problem(
            400,
            "digest-mismatch",
            "The digest does not fit",
            f"The body's SHA-256 is {actual.hex()}, the header says {wanted.hex()}.",
            what_to_do="Send it again; it was changed or cut off on its way.",
        )
    return actual.hex()
