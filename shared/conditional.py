"""Conditional requests (RFC 9110, section 13) and caching of answers."""

import re
from hashlib import blake2b
from typing import Any

from fastapi import Request
from pydantic_core import to_json
from starlette.responses import Response

from shared.problems import Problem

# An anonymous answer may be at most five seconds old; when we fail, ten minutes are better than nothing.
PUBLIC = "public, max-age=1, stale-while-revalidate=4, stale-if-error=600"
PRIVATE = "private, no-store"

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def digest(body: bytes) -> str:
    """The entity tag of a public answer: a digest of what is sent."""
    return blake2b(body, digest_size=12).hexdigest()


def names(header: str, tag: str) -> bool:
    """Whether If-Match or If-None-Match names this tag."""
    return header.strip() == "*" or tag in _TAG.findall(header)


def answer(
    request: Request,
    body: bytes | Any,
    *,
    tag: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A read's answer with its ETag, cache rules and 304.

    `body` is the bytes, or what renders to JSON. `tag` is a working record's revision; without it the tag is the
    digest of the bytes. Answers to a token are private.
    """
    if not isinstance(body, bytes):
        body = to_json(body)
    tag = tag or digest(body)
    anonymous = "authorization" not in request.headers
    fields = {
        "etag": f'"{tag}"',
        "cache-control": PUBLIC if anonymous else PRIVATE,
        "vary": "Authorization",
        **(headers or {}),
    }
    wanted = request.headers.get("if-none-match")
    if wanted is not None and request.method == "GET" and names(wanted, tag):
        return Response(status_code=304, headers=fields)
    return Response(body, status_code=status, headers=fields, media_type=media_type)


def require_match(request: Request, tag: str) -> None:
    """Refuse a change that was not made from the state `tag` names: 428 without If-Match, 412 when stale."""
    wanted = request.headers.get("if-match")
    if wanted is None:
        raise Problem("precondition-required", "Send If-Match with the ETag of the record as you read it.")
    check_match(request, tag)


def check_match(request: Request, tag: str) -> None:
    """As `require_match`, for actions: If-Match is honoured where it is sent."""
    wanted = request.headers.get("if-match")
    if wanted is not None and not names(wanted, tag):
        raise Problem("stale", "The record has changed since it was read: read it again, then repeat the change.")
