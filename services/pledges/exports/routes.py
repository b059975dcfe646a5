"""The export of pledges: HTTP only."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.pledges import schemas
from services.pledges.exports import service
from shared import exports
from shared.auth import MaybeCaller
from shared.database import Database
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/pledges/export", tags=["pledges"], route_class=Operation)


class PledgeExport(schemas.PledgeFilters, exports.Exporting):
    """Parameters of the export: the list's filters, and the form of the file."""


@router.get(
    "",
    summary="Export pledges",
    response_class=Response,
    responses={
        **exports.documented("The pledges that the filters leave, the newest first."),
        **responses("unavailable"),
    },
)
async def export_pledges(
    request: Request, parameters: Annotated[PledgeExport, Query()], caller: MaybeCaller
) -> Response:
    """Every published pledge under the list's filters, streamed; demonstration records say `sample` in their row."""
    form = exports.choose(request, parameters.format)
    database: Database = request.app.state.database
    total = await service.count(database, parameters) if form == "xlsx" else 0
    items = service.items(database, parameters)
    return await exports.answer(form, "pledges", service.COLUMNS, items, total=total, bom=parameters.bom)
