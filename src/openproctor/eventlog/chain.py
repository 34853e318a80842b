"""The hash chain: each entry of a session's log is linked to the one before.

``link = SHA-256(canonical entry)``, where the entry names the previous link. The data of an event is committed to
by a salted digest, so that personal data can be erased later and the chain still be verified.
"""

import hashlib
from typing import Any

from openproctor.eventlog.canonical import canonical


def genesis(session_id: str) -> bytes:
    """The link before the first entry: bound to the session, so that no chain fits two of them."""
    return hashlib.sha256(b"openproctor/1/" + session_id.encode()).digest()


def data_digest(salt: bytes, data: dict[str, Any] | bytes) -> str:
    """Commitment to an event's data (or its canonical form), hex. ``salt`` is 16 random bytes kept beside the data."""
    return hashlib.sha256(salt + (data if isinstance(data, bytes) else canonical(data))).hexdigest()


def link_event(
    previous: bytes,
    *,
    session_id: str,
    position: int,
    sequence: int,
    type_id: int,
    source: str,
    occurred_at: int,
    received_at: int,
    stream: str | None,
    client_sequence: int | None,
    digest: str,
    evidence: list[dict[str, Any]],
) -> bytes:
    """Link of an event, 32 bytes."""
    # written out in canonical order: this runs once for every event of every candidate
    number = "null" if client_sequence is None else client_sequence
    name = "null" if stream is None else canonical(stream).decode()
    refs = canonical(evidence).decode() if evidence else "[]"
    entry = (
        f'{{"at":{occurred_at},"client_sequence":{number},"data":"{digest}","evidence":{refs},"kind":"event",'
        f'"position":{position},"previous":"{previous.hex()}","received":{received_at},"sequence":{sequence},'
        f'"session":"{session_id}","source":"{source}","stream":{name},"type":{type_id}}}'
    )
    return hashlib.sha256(entry.encode()).digest()


def link_content(previous: bytes, *, session_id: str, position: int, kind: str, content: dict[str, Any]) -> bytes:
    """Link of a chunk or a still, 32 bytes; ``content`` holds its digest and what it is."""
    entry = {
        "content": content,
        "kind": kind,
        "position": position,
        "previous": previous.hex(),
        "session": session_id,
    }
    return hashlib.sha256(canonical(entry)).digest()
