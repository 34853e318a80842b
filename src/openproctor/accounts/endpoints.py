"""Sign-in to the console."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from openproctor.accounts.principal import CONSOLE_COOKIE, CONSOLE_HEADER, AsStaff
from openproctor.accounts.service import Accounts
from openproctor.errors import forbidden

router = APIRouter(prefix="/api/v1", tags=["accounts"])


class SignIn(BaseModel):
    """Credentials of a person of the staff."""

    email: str = Field(max_length=320)
    password: str = Field(max_length=1000)


class OrganizationOut(BaseModel):
    """An organization."""

    id: str
    name: str


class Me(BaseModel):
    """Who is signed in; ``id`` is null for an API key."""

    id: str | None
    name: str
    email: str
    organization: OrganizationOut


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.platform.accounts
    return accounts


@router.post("/sign-in")
async def sign_in(request: Request, response: Response, body: SignIn) -> Me:
    """Sign in to the console; sets a cookie that scripts cannot read."""
    if CONSOLE_HEADER not in request.headers:
        raise forbidden("Calls from the console carry the header 'X-OpenProctor: console'.")
    accounts = _accounts(request)
    secret, person = await accounts.sign_in(body.email, body.password)
    response.set_cookie(
        CONSOLE_COOKIE,
        secret,
        max_age=request.app.state.platform.settings.sign_in_hours * 3600,
        httponly=True,
        secure=request.app.state.platform.secure,
        samesite="lax",
        path="/",
    )
    organization = await accounts.organization(person.organization_id)
    return Me(
        id=person.id,
        name=person.name,
        email=person.email,
        organization=OrganizationOut(id=organization.id, name=organization.name),
    )


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, _who: AsStaff) -> None:
    """End this sign-in."""
    cookie = request.cookies.get(CONSOLE_COOKIE)
    if cookie:
        await _accounts(request).sign_out(cookie)
    response.delete_cookie(CONSOLE_COOKIE, path="/")


@router.get("/me")
async def me(request: Request, who: AsStaff) -> Me:
    """Who is signed in."""
    organization = await _accounts(request).organization(who.organization_id)
    return Me(
        id=who.person_id,
        name=who.name,
        email=who.email,
        organization=OrganizationOut(id=organization.id, name=organization.name),
    )
