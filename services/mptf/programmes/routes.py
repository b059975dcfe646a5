"""Operations of the public pipeline and portfolio, the Fund's sums and its policy: HTTP only."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from services.mptf import policy, reading
from services.mptf import schemas as notes
from services.mptf.programmes import exports as listed
from services.mptf.programmes import iati, schemas, service
from services.mptf.visibility import is_staff
from shared import clock, exports
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer
from shared.database import Database, Reader
from shared.lists import Page, link
from shared.operation import Operation
from shared.problems import Problem, responses

router = APIRouter(prefix="/v1/mptf", tags=["mptf"], route_class=Operation)


@router.get("/programmes", summary="List joint programmes", response_model=Page[notes.JointProgramme])
async def list_programmes(
    request: Request, parameters: Annotated[notes.ProgrammeList, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """The pipeline and the portfolio: every note from its selection on."""
    body, following = await reading.list_public(reader, parameters)
    return answer(request, body, headers=link(request, following))


class ProgrammeExport(notes.ProgrammeFilters):
    """Parameters of the export: the list's filters, and the form of the file."""

    format: exports.Format | Literal["iati"] | None = Field(
        default=None, description="Unless given, what `Accept` prefers; else CSV. `iati` is IATI 2.03."
    )
    bom: bool = Field(default=False, description="For CSV: begin with a byte order mark, as some spreadsheets need.")


FILES = exports.documented("The programmes that the filters leave, the newest first.")
FILES[200]["content"][iati.MEDIA_TYPE] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/programmes/export",
    summary="Export joint programmes",
    response_class=Response,
    responses={**FILES, **responses("unavailable")},
)
async def export_programmes(
    request: Request, parameters: Annotated[ProgrammeExport, Query()], caller: MaybeCaller
) -> Response:
    """Every programme under the list's filters, streamed: CSV, XLSX, JSON Lines, or activities of IATI 2.03."""
    database: Database = request.app.state.database
    if parameters.format == "iati":
        items = listed.items_with_money(database, parameters)
        written = iati.document(await exports.begun(items), request.app.state.settings.public_url.rstrip("/"))
        name = f"programmes-{clock.today().isoformat()}.xml"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return exports.Stream(written, items, {**headers, "content-type": iati.MEDIA_TYPE})
    form = exports.choose(request, parameters.format)
    total = await listed.count(database, parameters) if form == "xlsx" else 0
    items = listed.items(database, parameters)
    return await exports.answer(form, "programmes", listed.COLUMNS, items, total=total, bom=parameters.bom)


@router.get(
    "/programmes/{programme_id}",
    summary="Read a joint programme",
    response_model=notes.JointProgramme,
    responses=responses("not-found", "gone"),
)
async def read_programme(request: Request, programme_id: UUID, caller: MaybeCaller, reader: Reader) -> Response:
    """What everybody reads of it, whoever asks; its id is its concept note's."""
    body = await reading.public(reader, programme_id)
    if body is None:
        raise await reading.hidden(reader, programme_id)
    return answer(request, body)


@router.get("/summary", summary="Sum up the Fund", response_model=schemas.ProgrammeSummary)
async def summarize_fund(
    request: Request, filters: Annotated[notes.ProgrammeFilters, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """Programmes and budgets by facet, each ignoring the filter on itself; contributions by donor and currency."""
    found = schemas.ProgrammeSummary.model_validate(await service.summary(reader, filters))
    return answer(request, found.model_dump_json().encode())


@router.get(
    "/balance",
    summary="Weigh what is proposed against what is funded",
    response_model=schemas.Balance,
    responses=responses("forbidden"),
)
async def read_balance(request: Request, caller: SignedIn, reader: Reader) -> Response:
    """By thematic area, region and country; for the committee and staff."""
    if not (is_staff(caller) or caller.has("steering_committee")):
        raise Problem("forbidden", "The balance is for the committee, the Fund Management Unit and the secretariat.")
    found = schemas.Balance.model_validate(await service.balance(reader))
    return answer(request, found.model_dump_json().encode())


@router.get("/policy", summary="Read the Fund's policy in force", response_model=policy.FundPolicy)
async def read_policy(request: Request, caller: MaybeCaller) -> Response:
    """Its rules, its guidance and the criteria of the screening, with the day from which they hold."""
    return answer(request, policy.in_force().model_dump_json().encode())
