"""Imports of pledges: HTTP only."""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.pledges.imports import judging, schemas, service
from services.pledges.models import PledgeImport
from shared import exports
from shared.auth import Caller, MaybeCaller, SignedIn
from shared.conditional import answer
from shared.database import Session
from shared.languages import best_language
from shared.lists import Page, decode, encode, link
from shared.operation import Operation
from shared.problems import Problem, responses

router = APIRouter(prefix="/v1/pledges/imports", tags=["pledges"], route_class=Operation)

XLSX = exports.MEDIA_TYPES["xlsx"]
# Browsers on some systems call a CSV by the name of the spreadsheet that opens it.
TAKEN = ("text/csv", XLSX, "application/csv", "text/plain", "application/vnd.ms-excel", "application/octet-stream")
FILE = {
    "requestBody": {
        "required": True,
        "description": "A CSV or XLSX file of at most 50 MB. Its first row names the columns, as the template does.",
        "content": {name: {"schema": {"type": "string", "format": "binary"}} for name in ("text/csv", XLSX)},
    }
}


def _require_secretariat(caller: Caller) -> None:
    if not caller.has("secretariat"):
        raise Problem("forbidden", "Imports are for the secretariat.")


@router.post(
    "",
    summary="Import pledges",
    status_code=202,
    response_model=schemas.PledgeImport,
    responses=responses("forbidden", "too-large", "unsupported-media-type"),
    openapi_extra=FILE,
)
async def import_pledges(
    request: Request, parameters: Annotated[schemas.NewPledgeImport, Query()], caller: SignedIn, session: Session
) -> Response:
    """Have a CSV or XLSX file judged and, unless it is a dry run, all of its rows created, or none.

    Each row names its owner and an external id: what was imported under that id before is left as it is. A row is a
    draft, or published with its source, for records of before this system.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in TAKEN:
        raise Problem("unsupported-media-type", f"Send text/csv or {XLSX}.")
    _require_secretariat(caller)
    made = await service.start(session, request.stream(), parameters, caller)
    return await _shown(request, session, made, 202)


async def _shown(request: Request, session: Session, found: PledgeImport, status: int = 200) -> Response:
    body = (await service.shown(session, found)).model_dump_json().encode()
    headers = {"location": f"/v1/pledges/imports/{found.id}"} if status == 202 else {}
    if found.finished_at is None:
        headers["retry-after"] = "1"
    return answer(request, body, status=status, headers=headers)


@router.get(
    "/template",
    summary="Get an import's template",
    response_class=Response,
    responses=exports.documented("A file with the columns an import may have, and no row."),
)
async def read_pledge_import_template(
    request: Request, parameters: Annotated[exports.Exporting, Query()], caller: MaybeCaller
) -> Response:
    """The columns in the language that `Accept-Language` picks (en, fr, es); codes go by their names in it too."""
    language = best_language(request.headers.get("accept-language"))
    columns = [exports.Column(column.labels[language], lambda item: None) for column in judging.columns()]
    form = exports.choose(request, parameters.format)
    response = await exports.answer(form, "pledges", columns, _nothing(), bom=parameters.bom)
    response.headers["content-language"] = language
    response.headers["vary"] = "Accept, Accept-Language, Authorization"
    return response


async def _nothing() -> AsyncGenerator[Sequence[bytes], None]:
    yield ()


@router.get(
    "/{import_id}",
    summary="Read an import's state",
    response_model=schemas.PledgeImport,
    responses=responses("forbidden", "not-found"),
)
async def read_pledge_import(request: Request, import_id: UUID, caller: SignedIn, session: Session) -> Response:
    """How far it is, and how many rows it has of each outcome."""
    _require_secretariat(caller)
    return await _shown(request, session, await service.find(session, import_id))


@router.get(
    "/{import_id}/report",
    summary="Read an import's report",
    response_model=Page[schemas.PledgeImportLine],
    responses=responses("forbidden", "not-found"),
)
async def read_pledge_import_report(
    request: Request,
    import_id: UUID,
    parameters: Annotated[schemas.PledgeImportReport, Query()],
    caller: SignedIn,
    session: Session,
) -> Response:
    """A line for each row in the file's order, with what is wrong in each cell."""
    _require_secretariat(caller)
    found = await service.find(session, import_id)
    position = decode(parameters, (int,))
    rows = await service.lines(session, found, parameters.outcome, position[0] if position else 0, parameters.limit + 1)
    items = [
        schemas.PledgeImportLine(
            row=row.number,
            outcome=row.outcome,
            external_id=row.external_id,
            pledge_id=row.pledge_id,
            reference=row.reference,
            faults=row.faults,
            gaps=row.gaps,
        )
        for row in rows[: parameters.limit]
    ]
    following = encode(parameters, items[-1].row) if len(rows) > parameters.limit else None
    total = await service.count(session, found, parameters.outcome) if parameters.total else None
    page = Page[schemas.PledgeImportLine](items=items, next=following, total=total)
    without = {"total"} if total is None else None
    return answer(request, page.model_dump_json(exclude=without).encode(), headers=link(request, following))
