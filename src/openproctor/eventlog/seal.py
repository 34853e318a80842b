"""Seals: a signed statement of where a session's chain stands (Ed25519, RFC 8032).

A seal binds the last link, its position, and a salted digest of who and what the session was about, so that the proof
survives the erasure of names.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from openproctor.eventlog.canonical import canonical


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed head. ``subject`` is the salted digest of the session's identity; times in ms since 1970."""

    session_id: str
    position: int
    link: str
    subject: str
    sealed_at: int
    public_key: str
    signature: str

    def statement(self) -> bytes:
        """What is signed."""
        return canonical(
            {
                "at": self.sealed_at,
                "link": self.link,
                "position": self.position,
                "session": self.session_id,
                "subject": self.subject,
            }
        )

    def is_genuine(self) -> bool:
        """Whether the signature fits the statement and the key that the seal names."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), self.statement())
        except (InvalidSignature, ValueError):
            return False
        return True


def subject_digest(salt: bytes, identity: dict[str, Any]) -> str:
    """Commitment to a session's identity (exam, candidate, attempt), hex."""
    return hashlib.sha256(salt + canonical(identity)).hexdigest()


class SealingKey:
    """The server's Ed25519 key: made once, kept in the data folder, readable by its owner only."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public_key = raw.hex()

    @classmethod
    def load(cls, folder: Path) -> "SealingKey":
        """Read the key, or make it."""
        path = folder / "sealing.key"
        if not path.exists():
            made = Ed25519PrivateKey.generate().private_bytes_raw()
            temporary = path.with_name(f".sealing.{os.getpid()}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(made.hex().encode())
                file.flush()
                os.fsync(file.fileno())
            try:
                # never replaces a key that another process made meanwhile
                os.link(temporary, path)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip())))

    def seal(self, session_id: str, position: int, link: str, subject: str, sealed_at: int) -> Seal:
        """Sign a head."""
        unsigned = Seal(session_id, position, link, subject, sealed_at, self.public_key, "")
        signature = self._private.sign(unsigned.statement()).hex()
        return Seal(session_id, position, link, subject, sealed_at, self.public_key, signature)
