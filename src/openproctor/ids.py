"""The one id generator: lower-case ULIDs, 26 characters, sorted by time (spec: github.com/ulid/spec)."""

import os
import re

from openproctor.clock import now_ms

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PATTERN = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


def new_id() -> str:
    """48 bits of time in ms, then 80 random bits, in Crockford's base 32."""
    value = (now_ms() << 80) | int.from_bytes(os.urandom(10))
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def is_id(text: str) -> bool:
    """Whether the text has the form of our ids."""
    return _PATTERN.fullmatch(text) is not None
