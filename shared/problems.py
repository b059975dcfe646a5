"""Errors as RFC 9457 problem documents: one table of kinds, one exception, one place where faults become answers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
import psycopg_pool
import sqlalchemy.exc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails, to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Kind(NamedTuple):
    """A kind of problem: its HTTP status, its title, and what a client can do about it."""

    status: int
    title: str
    help: str


PROBLEMS: dict[str, Kind] = {
    "malformed": Kind(400, "Malformed request", "The body is not JSON as RFC 8259 has it. Correct and send again."),
    "unauthorized": Kind(
        401, "Sign-in needed", "Send a valid access token as `Authorization: Bearer …`, or none for public reads."
    ),
    "forbidden": Kind(403, "Not allowed", "The caller can see this but may not do it. The detail says who may."),
    "not-found": Kind(404, "Not found", "There is nothing here that the caller may see."),
    "method-not-allowed": Kind(405, "Method not allowed", "The `Allow` field names the methods of this resource."),
    "conflict": Kind(409, "Wrong moment", "The record's state does not allow this now. Read it again."),
    "in-progress": Kind(
        409, "Still in progress", "A request with this Idempotency-Key is still running. Retry after a moment."
    ),
    "gone": Kind(410, "Withdrawn", "The record was published and has been withdrawn since."),
    "stale": Kind(412, "Changed meanwhile", "If-Match names an older state. Read the record again, then repeat."),
    "too-large": Kind(413, "Too large", "The body is over the limit that the detail names."),
    "unsupported-media-type": Kind(415, "Unsupported media type", "The detail names the media types taken here."),
    "invalid": Kind(422, "Invalid request", "`errors` points to each value at fault."),
    "incomplete": Kind(422, "Incomplete", "`errors` points to each thing that is still missing."),
    "key-reused": Kind(422, "Idempotency-Key reused", "This key was used with another body. Make a new key."),
    "precondition-required": Kind(428, "If-Match needed", "Send the ETag of the record as read, as `If-Match`."),
    "too-many-requests": Kind(429, "Too many requests", "Wait as long as `Retry-After` says."),
    "internal": Kind(500, "Internal error", "The fault is ours and has been logged under the request's id."),
    "bad-gateway": Kind(502, "Service unreachable", "The service behind the gateway did not answer. Retry later."),
    "unavailable": Kind(503, "Unavailable", "Retry after the pause that `Retry-After` names."),
    "timeout": Kind(504, "Service too slow", "The service behind the gateway did not answer in time. Retry later."),
}


class Fault(BaseModel):
    """One value at fault: a JSON Pointer (RFC 6901) into the body, or `?name` for a parameter, and what is wrong."""

    pointer: str = Field(description="JSON Pointer into the body; `?name` for a query parameter.")
    detail: str


class ProblemDocument(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = Field(description="Relative URI of the kind of problem; the page there says what to do.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    errors: list[Fault] | None = Field(default=None, description="Where fields are at fault: one entry for each.")


@dataclass
class Problem(Exception):
    """Raised anywhere below a route; answered as a problem document of the kind `slug` names."""

    slug: str
    detail: str
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return PROBLEMS[self.slug].status


def problem_body(slug: str, detail: str, instance: str, errors: Sequence[Fault] = ()) -> bytes:
    """The document's bytes, for code that answers without a framework."""
    kind = PROBLEMS[slug]
    document: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
    # A path may hold bytes that are no UTF-8; the document stays valid JSON all the same.
    return to_json(document, inf_nan_mode="null")


def problem_response(problem: Problem, instance: str) -> Response:
    instance = instance.encode("utf-8", "replace").decode("utf-8")
    return Response(
        problem_body(problem.slug, problem.detail, instance, problem.errors),
        status_code=problem.status,
        headers={"cache-control": "no-store", **problem.headers},
        media_type=MEDIA_TYPE,
    )


def responses(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` for the problems that an operation can give."""
    by_status: dict[int, list[str]] = {}
    for slug in slugs:
        by_status.setdefault(PROBLEMS[slug].status, []).append(slug)
    return {
        status: {
            "description": " / ".join(PROBLEMS[slug].title for slug in kinds),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, kinds in sorted(by_status.items())
    }


def pointer(location: Iterable[str | int]) -> str:
    """RFC 6901 pointer of a path such as `("indicators", 0, "name")`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def faults(errors: Iterable[ErrorDetails] | Iterable[dict[str, Any]]) -> list[Fault]:
    """Pydantic's errors as pointers; values are not repeated, they may be private."""
    found: list[Fault] = []
    for error in errors:
        where, *location = error["loc"] or ("body",)
        detail = str(error["msg"])
        match where:
            case "query" | "header" | "path" | "cookie":
                mark = {"query": "?", "header": "", "path": "", "cookie": ""}[str(where)]
                fault = Fault(pointer=mark + ".".join(str(part) for part in location[:1]), detail=detail)
            case "body":
                fault = Fault(pointer=pointer(location), detail=detail)
            case _:
                fault = Fault(pointer=pointer((where, *location)), detail=detail)
        found.append(fault)
    return found


# SQLSTATE -> (problem, detail): every fault of the database that a client can cause or wait out.
DATABASE_FAULTS: dict[str, tuple[str, str]] = {
    "23505": ("conflict", "A record with this value exists already."),
    "23503": ("conflict", "Something that this refers to does not exist, or is still referred to."),
    "23514": ("conflict", "The record would break a rule of its kind."),
    "23P01": ("conflict", "The record would overlap with another."),
    "22000": ("invalid", "The values do not go together."),
    "22001": ("invalid", "A text is longer than its field."),
    "22003": ("invalid", "A number is out of range."),
    "22007": ("invalid", "A date or time is out of range."),
    "22008": ("invalid", "A date or time is out of range."),
    "22021": ("invalid", "A text holds a character that cannot be stored."),
    "22P05": ("invalid", "A text holds a character that cannot be stored."),
    "40001": ("unavailable", "Another request changed the same records. Retry."),
    "40P01": ("unavailable", "Another request changed the same records. Retry."),
    "55P03": ("unavailable", "Another request is working on this record. Retry."),
    "57014": ("unavailable", "The database took too long. Retry."),
    "53300": ("unavailable", "The database has no connection free. Retry."),
}


def not_valid(noun: str, error: ValidationError) -> Problem:
    """What a change answers that would leave a record's content as its model does not allow it."""
    located = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
    return Problem("invalid", f"The {noun} would not be valid.", faults(located))


def from_database(error: sqlalchemy.exc.SQLAlchemyError | psycopg.Error) -> Problem | None:
    """The problem that a database error stands for, or None where it is a fault of ours."""
    if isinstance(error, sqlalchemy.exc.TimeoutError | psycopg_pool.PoolTimeout):
        return Problem("unavailable", "The database has no connection free. Retry.", headers={"retry-after": "1"})
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate in DATABASE_FAULTS:
        slug, detail = DATABASE_FAULTS[sqlstate]
    elif isinstance(cause, psycopg.OperationalError):
        slug, detail = "unavailable", "The database cannot be reached. Retry."
    else:
        return None
    return Problem(slug, detail, headers={"retry-after": "1"} if slug == "unavailable" else {})


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods of the resource at `path`: the router itself knows one route's only."""
    every = app.openapi()["paths"]
    fitting = [each for each in every if re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(each)), path)]
    # `/due` is no id: the address with most words of its own is the one that is meant.
    meant = max(fitting, key=lambda each: len(re.sub(r"\{[^}]*\}", "", each)), default=None)
    found = {name.upper() for name in every[meant]} if meant else set[str]()
    return sorted(found | {"HEAD"} if "GET" in found else found)


_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 400: "malformed"}


def install(app: FastAPI) -> None:
    """Answer every fault of `app` as a problem document."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return problem_response(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        found = faults(error.errors())
        problem = Problem("invalid", f"{len(found)} value(s) are not as documented.", found)
        return problem_response(problem, request.url.path)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        slug = _BY_STATUS.get(error.status_code, "internal")
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if slug == "method-not-allowed":
            headers["allow"] = ", ".join(_methods(app, request.url.path)) or headers.get("allow", "")
        problem = Problem(slug, PROBLEMS[slug].help, headers=headers)
        return problem_response(problem, request.url.path)

    @app.exception_handler(psycopg.Error)
    @app.exception_handler(sqlalchemy.exc.SQLAlchemyError)
    async def _database(request: Request, error: sqlalchemy.exc.SQLAlchemyError | psycopg.Error) -> Response:
        problem = from_database(error)
        if problem is None:
            raise error
        return problem_response(problem, request.url.path)
