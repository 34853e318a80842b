"""Canonical JSON (RFC 8785), quick where the plain encoder gives the same bytes."""

from typing import Any

import msgspec
import rfc8785

_encode = msgspec.json.Encoder(order="sorted").encode
_SAFE_INTEGER = 2**53 - 1


def _plain(value: Any) -> bool:
    """Whether the sorted encoder's output is canonical: no floats, ASCII keys, integers within 53 bits."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-_SAFE_INTEGER <= value <= _SAFE_INTEGER)
    if kind is dict:
        return all(type(k) is str and k.isascii() and _plain(v) for k, v in value.items())
    if kind is list:
        return all(_plain(v) for v in value)
    return False


def canonical(value: Any) -> bytes:
    """The one byte string that stands for a JSON value. Source: RFC 8785.

    Raises ``ValueError`` for what JSON cannot hold exactly (integers beyond 53 bits, NaN, infinities).
    """
    if _plain(value):
        return _encode(value)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(str(error)) from error
