"""Exports over HTTP."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from openproctor.accounts.principal import AsStaff

router = APIRouter(prefix="/api/v1", tags=["exports"])


class SealingKeyOut(BaseModel):
    """The server's public sealing key (Ed25519), hex."""

    algorithm: str
    public_key: str


@router.get("/sessions/{session_id}/bundle", response_class=StreamingResponse)
async def get_bundle(request: Request, who: AsStaff, session_id: str) -> StreamingResponse:
    """Everything about one session in one file, for ``openproctor verify``."""
    platform = request.app.state.platform
    session = await platform.sessions.fresh(who.organization_id, session_id)
    pieces = platform.bundles.stream(session)
    # sealing and reading the log may fail; once the first piece is there, the answer may begin
    first = await anext(pieces)

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    headers = {
        "Content-Disposition": f'attachment; filename="openproctor-{session.id}.tar"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(all_of_it(), media_type="application/x-tar", headers=headers)


@router.get("/sealing-key")
async def get_sealing_key(request: Request) -> SealingKeyOut:
    """The key that seals of this server are made with: keep it apart from the bundles that you verify with it."""
    return SealingKeyOut(algorithm="Ed25519", public_key=request.app.state.platform.sealer.public_key)
