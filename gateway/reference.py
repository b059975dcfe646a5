"""The reference lists of the Compact and the Network, in the caller's language."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from shared import reference
from shared.auth import MaybeCaller
from shared.conditional import answer
from shared.languages import Language, best_language
from shared.operation import Operation
from shared.reference_schemas import LIST_MODELS

_SUMMARIES: Final = {
    "objectives": "List the 23 objectives",
    "principles": "List the ten guiding principles",
    "thematic-areas": "List the Fund's thematic areas",
    "sdgs": "List the Sustainable Development Goals",
    "countries": "List countries and areas",
    "regions": "List regions",
    "members": "List the Network's members",
    "entity-types": "List the kinds of pledging entities",
    "champion-countries": "List Champion countries, as far as they are known",
}

ACCEPT_LANGUAGE: Final = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "description": "Languages of the labels, by preference (RFC 4647 lookup): en, fr or es.",
    "schema": {"type": "string", "examples": ["fr, en;q=0.5"]},
}

router = APIRouter(prefix="/v1/reference", tags=["reference"], route_class=Operation)


@cache
def _bytes(name: str, language: Language) -> bytes:
    return to_json(reference.answer(name, language))


def _endpoint(name: str, model: type[BaseModel]) -> Callable[[Request, MaybeCaller], Awaitable[Response]]:
    async def read(request: Request, caller: MaybeCaller) -> Response:
        language = best_language(request.headers.get("accept-language"))
        fields = {"content-language": language, "vary": "Accept-Language, Authorization"}
        return answer(request, _bytes(name, language), headers=fields)

    read.__name__ = f"list_{name.replace('-', '_')}"
    read.__doc__ = model.__doc__
    return read


for _name, _model in LIST_MODELS.items():
    router.add_api_route(
        f"/{_name}",
        _endpoint(_name, _model),
        response_model=_model,
        summary=_SUMMARIES[_name],
        openapi_extra={"parameters": [ACCEPT_LANGUAGE]},
    )
