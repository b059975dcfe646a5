"""The connections of one process: sessions to write, autocommit ones to read, plain ones for what is read most."""

import asyncio
from typing import Annotated, Any

from fastapi import Depends, Request
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Select, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine

# Plans are made for the values at hand: a generic plan reads a GIN index where a selective filter would do.
OPTIONS = "-c plan_cache_mode=force_custom_plan -c statement_timeout=30s -c lock_timeout=10s -c jit=off"


_DIALECT = make_url("postgresql+psycopg://").get_dialect()()


class Prepared:
    """A statement with `bindparam`s that is compiled once and run on a plain connection.

    For the few reads that answer most requests: building and compiling a statement anew costs six times as much as
    running it.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.sql: Any = str(statement.compile(dialect=_DIALECT))

    async def all(self, database: "Database", **values: Any) -> list[tuple[Any, ...]]:
        """Every row, as a tuple."""
        async with database.plain.connection() as connection:
            found = await connection.execute(self.sql, values, binary=True)
            return await found.fetchall()

    async def first(self, database: "Database", **values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        async with database.plain.connection() as connection:
            found = await connection.execute(self.sql, values, binary=True)
            return await found.fetchone()


class Database:
    """The connections of one service to its schema; `url` is the service's own, its role sets the search path."""

    def __init__(self, url: str, pool_size: int = 8) -> None:
        self.engine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_recycle=1800,
            # A statement's values may be private: they are not for the log.
            hide_parameters=True,
            connect_args={"options": OPTIONS, "connect_timeout": 5},
        )
        # A read needs no BEGIN and no ROLLBACK: two round trips less.
        self.reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # Opened by the application, for `Prepared`.
        self.plain = AsyncConnectionPool(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            min_size=1,
            max_size=max(2, pool_size // 2),
            timeout=5,
            max_idle=600,
            open=False,
            kwargs={"autocommit": True, "options": OPTIONS, "connect_timeout": 5},
        )
        # Exports hold a connection for as long as their reader takes; the rest stays for everyone else.
        self.streams = asyncio.Semaphore(max(1, pool_size // 2))

    async def ready(self) -> None:
        """Raise unless the database answers."""
        async with self.reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.plain.close()
        await self.engine.dispose()


async def session(request: Request) -> AsyncSession:
    """The request's one transaction; `shared.operation` commits it before the answer, or rolls it back."""
    found: AsyncSession | None = getattr(request.state, "session", None)
    if found is None:
        database: Database = request.app.state.database
        found = request.state.session = database.sessions()
    return found


async def reader(request: Request) -> AsyncConnection:
    """A connection that only reads, in autocommit; given back by `shared.operation` after the answer is built."""
    found: AsyncConnection | None = getattr(request.state, "reader", None)
    if found is None:
        database: Database = request.app.state.database
        found = request.state.reader = await database.reader.connect()
    return found


Session = Annotated[AsyncSession, Depends(session)]
Reader = Annotated[AsyncConnection, Depends(reader)]
