"""Who makes a request, and the FastAPI dependencies that say who may.

Every route names one of these dependencies or is listed as public; a test goes through all routes.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from openproctor.accounts.service import Accounts
from openproctor.accounts.signing import Signer, TokenExpired, TokenInvalid
from openproctor.clock import now_ms
from openproctor.errors import forbidden, not_found, unauthorized

CONSOLE_COOKIE = "openproctor_console"
CONSOLE_HEADER = "x-openproctor"
CANDIDATE_TOKEN = "candidate"
CACHE_MS = 30_000
CACHE_SIZE = 20_000
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Staff:
    """An API key or a person who signed in to the console."""

    organization_id: str
    person_id: str | None = None
    key_id: str | None = None
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class CandidateToken:
    """A candidate's page that joined one session."""

    organization_id: str
    session_id: str
    device: str


def bearer(connection: HTTPConnection) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def read_candidate_token(signer: Signer, token: str) -> CandidateToken:
    """The candidate behind a token; :class:`Problem` 401 if it is not valid (any more)."""
    try:
        claims = signer.read(CANDIDATE_TOKEN, token)
        return CandidateToken(claims["org"], claims["sub"], claims["dev"])
    except TokenExpired as error:
        raise unauthorized("The candidate's token has expired. Open the exam's link again.") from error
    except (TokenInvalid, KeyError) as error:
        raise unauthorized("The candidate's token is not valid. Open the exam's link again.") from error


class TokenCache:
    """Candidates' tokens that were found good a moment ago: a page sends its own many times a minute."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._good: OrderedDict[str, tuple[int, CandidateToken]] = OrderedDict()

    def known(self, authorization: bytes) -> CandidateToken | None:
        """The candidate behind an ``Authorization`` header that was read a moment ago."""
        cached = self._good.get(authorization[7:].decode("latin-1")) if authorization[:7] == b"Bearer " else None
        return cached[1] if cached and cached[0] > now_ms() else None

    def read(self, token: str) -> CandidateToken:
        """See :func:`read_candidate_token`; a token's end may be noticed some seconds late."""
        now = now_ms()
        cached = self._good.get(token)
        if cached and cached[0] > now:
            return cached[1]
        found = read_candidate_token(self._signer, token)
        self._good[token] = (now + CACHE_MS, found)
        while len(self._good) > CACHE_SIZE:
            self._good.popitem(last=False)
        return found


async def staff(request: Request) -> Staff:
    """An API key or a console sign-in; 401 for nobody, 403 for a candidate."""
    accounts: Accounts = request.app.state.platform.accounts
    token = bearer(request)
    if token:
        found = await accounts.key_owner(token)
        if found:
            return Staff(found.organization_id, key_id=found.id, name=found.name)
        try:
            read_candidate_token(request.app.state.platform.signer, token)
        except Exception:
            raise unauthorized("The API key is not valid.") from None
        raise forbidden("A candidate's page may not do this.")
    cookie = request.cookies.get(CONSOLE_COOKIE)
    if cookie:
        person = await accounts.signed_in(cookie)
        if person:
            if request.method not in SAFE_METHODS and CONSOLE_HEADER not in request.headers:
                raise forbidden("Calls from the console carry the header 'X-OpenProctor: console'.")
            return Staff(person.organization_id, person_id=person.id, name=person.name, email=person.email)
    raise unauthorized()


async def candidate(request: Request, session_id: str) -> CandidateToken:
    """The candidate of the session in the path; 401 for nobody, 403 for anybody else."""
    token = bearer(request)
    if not token:
        raise unauthorized("This address needs the candidate's token.")
    if token.startswith("op_"):
        await staff(request)
        raise forbidden("Only the candidate's page may do this.")
    cache: TokenCache = request.app.state.platform.tokens
    found = cache.read(token)
    if found.session_id != session_id:
        raise forbidden("This token belongs to another session.")
    return found


async def staff_or_link(request: Request) -> Staff | None:
    """For recordings and stills: staff, or whoever holds a signed link that is still valid (then ``None``)."""
    query = request.query_params
    if query.get("mark"):
        signer: Signer = request.app.state.platform.signer
        if signer.path_is_signed(request.url.path, query.get("until"), query.get("mark")):
            return None
        raise not_found("link (it may have expired; reload the page that showed it)")
    return await staff(request)


AsStaff = Annotated[Staff, Depends(staff)]
AsCandidate = Annotated[CandidateToken, Depends(candidate)]
AsStaffOrLink = Annotated[Staff | None, Depends(staff_or_link)]
