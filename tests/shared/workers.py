"""Workers in processes of their own, on a database that has the queue's tables."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from shared import jobs
from shared.database import Database
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent


def prepare(url: str) -> None:
    """The queue's tables and a place for traces, made as the service's own role."""
    with psycopg.connect(url) as connection:
        for statement in jobs.schema_statements():
            connection.execute(statement)
        connection.execute("CREATE TABLE traces (job bigint, attempt integer, word text)")


def settings(url: str, **changes: Any) -> Settings:
    given = {"environment": "development", "worker_stalled_after": 1, **changes}
    return Settings(_no_variable_of_this_name=url, **given)


@contextmanager
def process(
    url: str, module: str = "tests.shared.jobs_service", service: str = "calendar", **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m shared.worker` for a module; killed in the end if it still runs."""
    database = {f"{service.upper()}_DATABASE_URL": url}
    given = {"ENVIRONMENT": "development", "WORKER_STALLED_AFTER": "1", **database, **environment}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    worker = subprocess.Popen([sys.executable, "-m", "shared.worker", module], cwd=ROOT, env={**inherited, **given})
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait()


@asynccontextmanager
async def transaction(url: str) -> AsyncIterator[AsyncSession]:
    """A session as a request has it: committed in the end, rolled back by an exception."""
    database = Database(url, 2)
    try:
        async with database.sessions() as session, session.begin():
            yield session
    finally:
        await database.close()


async def until(held: Callable[[], Awaitable[Any]] | Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for a condition; its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = held()
        if isinstance(value, Awaitable):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.05)


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()
