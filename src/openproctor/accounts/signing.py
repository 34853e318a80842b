"""Tokens and links that we sign: a JWT for a purpose, and a short mark on a path.

The key comes from the settings, or is made once and kept in the data folder, readable by its owner only.
"""

import base64
import hashlib
import hmac
import os
import secrets
from typing import Any

import jwt

from openproctor.bodies import is_number
from openproctor.clock import now_ms
from openproctor.config import Settings


class TokenInvalid(Exception):
    """The token is not one of ours, or was changed, or is for something else."""


class TokenExpired(Exception):
    """The token was ours, and its time is over."""


def load_secret(settings: Settings) -> bytes:
    """The signing key; made on first use when none is set."""
    if settings.secret_key:
        if len(settings.secret_key) < 32:
            raise ValueError("OPENPROCTOR_SECRET_KEY is too short: 32 characters or more are needed.")
        return settings.secret_key.encode()
    path = settings.data_dir / "secret.key"
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        # written aside and linked, so that two processes that start together agree on one key
        temporary = path.with_name(f".secret.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        return path.read_bytes().strip()


class Signer:
    """Signs and checks tokens and links with one secret, a key of its own for each purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _key(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, b"openproctor/" + purpose.encode(), "sha256")

    def token(self, purpose: str, claims: dict[str, Any], lifetime_ms: int) -> str:
        """A JWT (HS256) that is valid for ``lifetime_ms`` and for this purpose only."""
        body = {**claims, "aud": purpose, "exp": (now_ms() + lifetime_ms) // 1000}
        return jwt.encode(body, self._key(purpose), algorithm="HS256")

    def read(self, purpose: str, token: str) -> dict[str, Any]:
        """The claims; raises :class:`TokenInvalid` or :class:`TokenExpired`."""
        try:
            return jwt.decode(
                token, self._key(purpose), algorithms=["HS256"], audience=purpose, options={"require": ["exp", "aud"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise TokenInvalid from error

    def sign_path(self, path: str, lifetime_ms: int) -> str:
        """The path with ``?until=…&mark=…``; the end is rounded up, so that a playlist read again has the same links."""
        step = max(60_000, lifetime_ms // 4)
        until = ((now_ms() + lifetime_ms) // step + 1) * step // 1000
        return f"{path}?until={until}&mark={self._mark(path, until)}"

    def path_is_signed(self, path: str, until: str | None, mark: str | None) -> bool:
        """Whether the mark fits the path and its time is not over."""
        if not until or not mark or not is_number(until, 12):
            return False
        return int(until) * 1000 > now_ms() and hmac.compare_digest(
            self._mark(path, int(until)).encode(), mark.encode()
        )

    def _mark(self, path: str, until: int) -> str:
        digest = hmac.digest(self._key("link"), f"{until} {path}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode()


def secret_digest(secret: str) -> bytes:
    """What is stored of a secret with enough randomness of its own (API keys, sign-ins)."""
    return hashlib.sha256(secret.encode()).digest()
