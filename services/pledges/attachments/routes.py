"""The attachment of a pledge: HTTP only."""

import re
from typing import Annotated
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from services.pledges import service as pledges
from services.pledges.attachments import files, service
from services.pledges.attachments.inspecting import MEDIA_TYPES
from services.pledges.models import Attachment, Pledge
from services.pledges.schemas import PledgeAttachment
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import PRIVATE, PUBLIC, answer, check_match, names, require_match
from shared.database import Session
from shared.operation import Operation
from shared.problems import Problem, responses
from shared.schemas import Model

router = APIRouter(prefix="/v1/pledges/{pledge_id}/attachment", tags=["pledges"], route_class=Operation)

BINARY = {"schema": {"type": "string", "format": "binary"}}
FILE = {
    "requestBody": {
        "required": True,
        "description": "The file itself, at most 25 MB: "
        "text, RTF, PDF, Word, Excel, PowerPoint or OpenDocument, without macros. Its content decides.",
        "content": {"application/octet-stream": BINARY},
    }
}
CONTENT = dict.fromkeys(MEDIA_TYPES.values(), BINARY)


class NewAttachment(Model):
    """Parameters of an attachment."""

    name: str | None = Field(
        default=None, min_length=1, max_length=255, description="The file's name; or in Content-Disposition."
    )
    public: bool = Field(default=False, description="Whether everyone may have it once the pledge is published.")


def _named(request: Request, name: str | None) -> str:
    """The file's name: the parameter, or what Content-Disposition says (RFC 6266)."""
    if name is not None:
        return name
    said = request.headers.get("content-disposition", "")
    if extended := re.search(r"filename\*\s*=\s*utf-8'[^']*'([^;\s]+)", said, re.IGNORECASE):
        return unquote(extended[1])
    plain = re.search(r'filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))', said, re.IGNORECASE)
    return (plain[1] or plain[2] or "") if plain else ""


@router.put(
    "",
    summary="Attach a file to a pledge",
    response_model=PledgeAttachment,
    responses=responses("forbidden", "not-found", "gone", "conflict", "too-large", "stale", "unavailable"),
    openapi_extra=FILE,
)
async def put_pledge_attachment(
    request: Request,
    pledge_id: UUID,
    parameters: Annotated[NewAttachment, Query()],
    caller: SignedIn,
    session: Session,
) -> Response:
    """One file, replacing the one before, while the pledge may be edited; private unless `public` is true."""
    pledge = await pledges.find(session, pledge_id, caller, lock=True)
    if before := await files.of(session, pledge_id):
        check_match(request, before.digest)
    made = await service.take(
        session,
        pledge,
        request.stream(),
        caller,
        request.app.state.settings,
        name=_named(request, parameters.name),
        public=parameters.public,
    )
    return answer(request, files.shown(made), tag=made.digest)


@router.get(
    "",
    summary="Download a pledge's attachment",
    response_class=Response,
    responses={
        200: {"description": "The file, to be saved.", "content": CONTENT},
        304: {"description": "Not modified: the ETag sent is the current one."},
        **responses("not-found", "gone"),
    },
)
async def read_pledge_attachment(request: Request, pledge_id: UUID, caller: MaybeCaller, session: Session) -> Response:
    """The working record's for its owner and staff; for everyone else the publication's, where it is public."""
    pledge = await records.find(session, Pledge, pledge_id)
    found = await service.readable(session, pledge, caller)
    headers = {
        "etag": f'"{found.digest}"',
        "cache-control": PUBLIC if caller is None else PRIVATE,
        "vary": "Authorization",
    }
    if names(request.headers.get("if-none-match", ""), found.digest):
        return Response(status_code=304, headers=headers)
    headers |= {
        "content-length": str(found.size),
        "content-disposition": disposition(found),
        # Whatever opens it in spite of that has no script, no form and no origin.
        "content-security-policy": "sandbox; default-src 'none'",
    }
    content = files.content(request.app.state.database, found.digest)
    return StreamingResponse(content, headers=headers, media_type=found.media_type)


def disposition(found: Attachment) -> str:
    """RFC 6266: a name of ASCII letters for old clients, and the name itself."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", found.name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"


@router.delete(
    "",
    summary="Remove a pledge's attachment",
    status_code=204,
    responses=responses("forbidden", "not-found", "gone", "conflict"),
)
async def delete_pledge_attachment(request: Request, pledge_id: UUID, caller: SignedIn, session: Session) -> Response:
    """From the working record; a publication keeps its own until the next one."""
    pledge = await pledges.find(session, pledge_id, caller, lock=True)
    found = await files.of(session, pledge_id)
    if found is None:
        raise Problem("not-found", "There is no attachment.")
    require_match(request, found.digest)
    await service.remove(session, pledge, found, caller)
    return Response(status_code=204)
