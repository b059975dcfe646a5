"""Idempotency-Key: a creation sent twice is done once, and answered alike for 24 hours."""

import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from hashlib import sha256
from typing import Any

from fastapi import Request
from sqlalchemy import DateTime, LargeBinary, SmallInteger, Text, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column
from starlette.responses import Response

from shared.auth import Bearer
from shared.database import session
from shared.problems import Problem

KEPT = text("interval '24 hours'")
# How long a second request waits for the first before it is told to come back, in milliseconds.
PATIENCE = 8000
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyMixin:
    """A creation's first answer, kept in the service's own schema and written in the creation's transaction."""

    __tablename__ = "idempotency_keys"
    sub: Mapped[str] = mapped_column(Text, primary_key=True)
    method: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


async def once(request: Request, key: str, handle: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    """Handle a creation, or replay the answer that the same caller's same request had before."""
    if not _KEY.fullmatch(key):
        raise Problem("invalid", "Idempotency-Key holds 1 to 255 visible ASCII characters.")
    caller = await Bearer().authenticate(request)
    if caller is None:
        raise Problem("unauthorized", "Sign in to create.")
    table: type[IdempotencyMixin] = request.app.state.idempotency
    row = {"sub": caller.sub, "method": request.method, "path": request.url.path, "key": key}
    digest = sha256(await request.body()).hexdigest()
    db = await session(request)
    mine = [getattr(table, name) == value for name, value in row.items()]
    await db.execute(delete(table).where(table.sub == caller.sub, table.created_at < func.now() - KEPT))
    try:
        await db.execute(text(f"SET LOCAL lock_timeout = {PATIENCE}"))
        # Waits here while a request with the same key has not ended: its row is in the way, uncommitted.
        claim = upsert(table).values(**row, digest=digest).on_conflict_do_nothing().returning(table.key)
        claimed = (await db.execute(claim)).first() is not None
        await db.execute(text("SET LOCAL lock_timeout = DEFAULT"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "55P03":
            raise
        detail = "The first request with this Idempotency-Key has not ended yet."
        raise Problem("in-progress", detail, headers={"retry-after": "2"}) from None
    if not claimed:
        kept = (await db.execute(select(table).where(*mine))).scalar_one()
        if kept.digest != digest:
            raise Problem("key-reused", "This Idempotency-Key came before with another body.")
        return Response(kept.body or b"", status_code=kept.status or 200, headers=kept.headers)
    response = await handle(request)
    if response.status_code < 300:
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        await db.execute(
            update(table).where(*mine).values(status=response.status_code, headers=headers, body=bytes(response.body))
        )
    return response
