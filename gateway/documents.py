"""The contract, its reading room and the pages that problem types name, all served from this process."""

from functools import cache
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from pydantic_core import from_json, to_json
from starlette.responses import Response

from gateway.settings import Settings
from shared.problems import PROBLEMS, Kind, Problem

CONTRACT: Final = Path(__file__).with_name("openapi.json")

_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}

_DOCS: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Global Compact for Migration platform: API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  filter: true,
  persistAuthorization: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
"""
# The page draws its icons from data: addresses and sets styles on its elements; it runs no script but ours.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# What the docs page's Authorize offers in development: the password form of /dev/token, scopes as it takes them.
_SCHEME: Final = {
    "type": "oauth2",
    "description": "Development only: any user name, no password. Other entities and countries: ask /dev/token.",
    "flows": {
        "password": {
            "tokenUrl": "/dev/token",
            "scopes": {
                "secretariat": "Network secretariat",
                "reviewer": "Peer reviewer",
                "resident_coordinator": "UN Resident Coordinator",
                "fund_management_unit": "Fund Management Unit",
                "steering_committee": "Steering Committee",
                "entity:gov-ken": "speaks for the Government of Kenya",
                "entity:un-iom": "speaks for IOM",
                "country:KEN": "of Kenya",
            },
        }
    },
}


@cache
def contract(*, development: bool) -> bytes:
    """The committed contract; in development with a way to sign in from the docs page."""
    written = CONTRACT.read_bytes()
    if not development:
        return written
    document: dict[str, Any] = from_json(written)
    document["components"].setdefault("securitySchemes", {})["development"] = _SCHEME
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and {"bearer": []} in operation.get("security", []):
                operation["security"].append({"development": []})
    return to_json(document)


@cache
def asset(name: str) -> bytes:
    return resources.files("fastapi_swagger.resources").joinpath(name).read_bytes()


def _problem_page(slug: str, kind: Kind) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(kind.title)}</title></head>\n'
        f"<body><h1>{escape(kind.title)}</h1>\n<p>{escape(kind.help)}</p>\n"
        f"<p>Status {kind.status}, type <code>/problems/{escape(slug)}</code></p>\n</body></html>\n"
    )


def _page(content: str | bytes, media_type: str, policy: str = _PAGE_POLICY) -> Response:
    fields = {"content-security-policy": policy, "cache-control": "public, max-age=300"}
    return Response(content, headers=fields, media_type=media_type)


def router(settings: Settings) -> APIRouter:
    """`/openapi.json`, `/docs` and `/problems/…`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        return _page(contract(development=settings.development), "application/json")

    @routes.get("/docs")
    async def docs() -> Response:
        return _page(_DOCS, "text/html", _POLICY)

    @routes.get("/docs/start.js")
    async def start() -> Response:
        return _page(_START, "text/javascript")

    @routes.get("/docs/{name}")
    async def docs_asset(name: str) -> Response:
        if name not in _ASSETS:
            raise Problem("not-found", "There is no such file.")
        return _page(asset(name), _ASSETS[name])

    @routes.get("/problems/{slug}")
    async def problem(slug: str) -> Response:
        if slug not in PROBLEMS:
            raise Problem("not-found", "There is no such kind of problem.")
        return _page(_problem_page(slug, PROBLEMS[slug]), "text/html")

    return routes
