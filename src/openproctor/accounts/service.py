"""Rules of organizations, people, keys and sign-in."""

import asyncio
import secrets
from collections import OrderedDict

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from openproctor.accounts.repository import AccountRepository, ApiKey, Organization, Person
from openproctor.accounts.signing import secret_digest
from openproctor.clock import now_ms
from openproctor.errors import Problem
from openproctor.ids import new_id

logger = structlog.get_logger(__name__)

KEY_CACHE_MS = 10_000
KEY_CACHE_SIZE = 1_000
MIN_PASSWORD = 10
# sign-in attempts for one e-mail address: slow a guesser down, never lock the owner out for long
ATTEMPTS = 10
ATTEMPT_WINDOW_MS = 60_000

_hasher = PasswordHasher()
# checked when there is no such person, so that the answer takes as long as for a wrong password
_NOBODY = _hasher.hash(secrets.token_hex(16))


class Accounts:
    """Organizations, people, API keys, console sign-ins."""

    def __init__(self, repository: AccountRepository, *, sign_in_ms: int) -> None:
        self._repository = repository
        self._sign_in_ms = sign_in_ms
        self._keys: OrderedDict[bytes, tuple[int, ApiKey]] = OrderedDict()
        self._attempts: OrderedDict[str, list[int]] = OrderedDict()

    async def default_organization(self) -> Organization:
        """The first organization; made when the folder is new."""
        found = await self._repository.first_organization()
        if found:
            return found
        return await self._repository.add_organization(new_id(), "My organization", now_ms())

    async def organization(self, organization_id: str) -> Organization:
        """An organization by id."""
        return await self._repository.organization(organization_id)

    async def rename(self, organization_id: str, name: str) -> None:
        """Give an organization another name."""
        await self._repository.rename(organization_id, name)

    async def create_key(self, organization_id: str, name: str) -> str:
        """A new API key. It is shown once; only its digest is stored."""
        secret = f"op_{secrets.token_urlsafe(32)}"
        await self._repository.add_key(new_id(), organization_id, name, secret_digest(secret), now_ms())
        return secret

    async def key_owner(self, secret: str) -> ApiKey | None:
        """The key record of a secret. A key found is remembered for some seconds, a key revoked dies with that."""
        if not secret.startswith("op_") or len(secret) > 200:
            return None
        digest = secret_digest(secret)
        now = now_ms()
        cached = self._keys.get(digest)
        if cached and cached[0] > now:
            return cached[1]
        key = await self._repository.key(digest)
        if key:
            self._keys[digest] = (now + KEY_CACHE_MS, key)
            while len(self._keys) > KEY_CACHE_SIZE:
                self._keys.popitem(last=False)
        return key

    async def set_person(self, organization_id: str, email: str, name: str, password: str) -> Person:
        """Create a person, or give an existing one of the organization a new password and name."""
        if len(password) < MIN_PASSWORD:
            raise Problem(
                422, "weak-password", "The password is too short", f"{MIN_PASSWORD} characters or more are needed."
            )
        digest = await asyncio.to_thread(_hasher.hash, password)
        return await self._repository.put_person(
            new_id(), organization_id, email.strip().lower(), name, digest, now_ms()
        )

    async def sign_in(self, email: str, password: str) -> tuple[str, Person]:
        """A new sign-in: the cookie's secret and the person. 401 for a wrong pair, 429 for too many tries."""
        email = email.strip().lower()[:320]
        self._count_attempt(email)
        found = await self._repository.person_by_email(email)
        if not await asyncio.to_thread(_verify, found.password_hash if found else _NOBODY, password) or not found:
            logger.info("sign-in refused")
            raise Problem(
                401,
                "wrong-credentials",
                "E-mail or password is wrong",
                "No person with this e-mail address and password.",
                what_to_do="Check both and try again.",
            )
        self._attempts.pop(email, None)
        secret = secrets.token_urlsafe(32)
        await self._repository.add_sign_in(
            secret_digest(secret), found.organization_id, found.id, now_ms() + self._sign_in_ms, now_ms()
        )
        return secret, found

    def _count_attempt(self, email: str) -> None:
        now = now_ms()
        recent = [at for at in self._attempts.get(email, []) if at > now - ATTEMPT_WINDOW_MS]
        if len(recent) >= ATTEMPTS:
            raise Problem(
                429,
                "too-many-attempts",
                "Too many attempts",
                "Sign-in for this address is paused for a minute.",
                retry_after=60,
            )
        self._attempts[email] = [*recent, now]
        while len(self._attempts) > 10_000:
            self._attempts.popitem(last=False)

    async def signed_in(self, secret: str) -> Person | None:
        """The person behind a console cookie."""
        return await self._repository.person_by_sign_in(secret_digest(secret[:200]), now_ms())

    async def sign_out(self, secret: str) -> None:
        """End a sign-in."""
        await self._repository.remove_sign_in(secret_digest(secret[:200]))


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password[:1_000])
    except (VerificationError, InvalidHashError):
        return False
