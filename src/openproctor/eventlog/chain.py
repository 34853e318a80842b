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


def link_page(
    previous: bytes,
    *,
    session_id: str,
    position: int,
    sequence: int,
    received_at: int,
    stream: str,
    events: list[tuple[int, int, int, bytes]],
    salts: bytes,
) -> list[bytes]:
    """Links of events of a candidate's page that follow each other, as :func:`link_event` gives them one by one.

    ``events`` are (client sequence, type, time, canonical data); ``position`` and ``sequence`` are those of the first;
    ``salts`` has 16 bytes for each.
    """
    sha256 = hashlib.sha256
    received = f'","received":{received_at},"sequence":'
    rest = f',"session":"{session_id}","source":"candidate","stream":{canonical(stream).decode()},"type":'
    links = []
    for number, (client_sequence, type_id, at, data) in enumerate(events):
        digest = sha256(salts[number * 16 : number * 16 + 16] + data).hexdigest()
        entry = (
            f'{{"at":{at},"client_sequence":{client_sequence},"data":"{digest}","evidence":[],"kind":"event",'
            f'"position":{position + number},"previous":"{previous.hex()}{received}{sequence + number}{rest}{type_id}}}'
        )
        previous = sha256(entry.encode()).digest()
        links.append(previous)
    return links


def link_content(
    previous: bytes, *, session_id: str, position: int, kind: str, content: dict[str, Any] | bytes
) -> bytes:
    """Link of a chunk or a still, 32 bytes; ``content`` (or its canonical form) holds its digest and what it is."""
    described = content if isinstance(content, bytes) else canonical(content)
    entry = (
        f'{{"content":{described.decode()},"kind":{canonical(kind).decode()},"position":{position},'
        f'"previous":"{previous.hex()}","session":"{session_id}"}}'
    )
    return hashlib.sha256(entry.encode()).digest()
