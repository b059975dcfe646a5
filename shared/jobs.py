"""Work after the answer: jobs deferred in the request's own transaction, done by a worker, again until they succeed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any

import procrastinate
import structlog
from procrastinate import retry
from procrastinate.jobs import Job as QueuedJob
from pydantic_core import to_jsonable_python
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database import Database
from shared.settings import Settings

log = structlog.get_logger("jobs")

# Seconds before each further attempt; after the last one a job has failed. Two days of a broken mail server pass.
PAUSES = (5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
CONCURRENCY = 4
# A job that is running when the worker is told to stop has so long (seconds); then it is put back.
GRACE = 1.5
POLL = 3.0
FAILED_KEPT_HOURS = 30 * 24


def _without_arguments(record: logging.LogRecord) -> bool:
    record.__dict__.pop("job", None)
    return not str(getattr(record, "action", "")).startswith("job_")


# The library writes every job's arguments, which name people, into its log; ours says which job instead.
logging.getLogger("procrastinate").setLevel(logging.WARNING)
logging.getLogger("procrastinate.worker").addFilter(_without_arguments)


class HopelessError(Exception):
    """Raised by a task where trying again cannot help: the job has failed."""


@dataclass(frozen=True)
class Job:
    """What a task is told beside its arguments. `attempt` counts from 1; `id` is the same at every attempt."""

    id: int
    attempt: int
    database: Database
    settings: Settings


Task = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Tasks:
    """A service's tasks by name: `async def task(job: Job, *, one: str, other: int) -> None`.

    A task may be begun twice, by a worker that was killed and by its successor: it looks first whether its work
    is done. `every` has the cron expression (UTC) of those that run by the clock, without arguments.
    """

    functions: Mapping[str, Task] = field(default_factory=dict)
    every: Mapping[str, str] = field(default_factory=dict)


# Never opened: it only writes the statement for connections that are given to it.
_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer(session: AsyncSession, task: str, *, at: datetime | None = None, **arguments: Any) -> int:
    """Have `task` done once this session's transaction is committed; never, if it is not. The job's id.

    `at` is the earliest moment (the machine's time, not the domain's). Arguments are kept as JSON until the job
    is done; they are in no log.
    """
    connection = await session.connection()
    raw = (await connection.get_raw_connection()).driver_connection
    deferrer = _deferring.configure_task(task, schedule_at=at, connection=raw)
    return await deferrer.defer_async(**to_jsonable_python(arguments))


class _Pauses(retry.BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> retry.RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return retry.RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, HopelessError) or job.attempts >= len(PAUSES):
            return None
        return retry.RetryDecision(retry_in={"seconds": PAUSES[job.attempts]})


@asynccontextmanager
async def working(tasks: Tasks, settings: Settings, database: Database) -> AsyncIterator[None]:
    """A worker beside whatever runs inside; it ends with it, and comes back by itself when the database does."""
    worker = asyncio.create_task(_work_on(tasks, settings, database), name="worker")
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def _work_on(tasks: Tasks, settings: Settings, database: Database) -> None:
    while True:
        try:
            await _work(tasks, settings, database)
        except Exception:
            log.warning("worker stopped", exc_info=True)
        await asyncio.sleep(POLL)


async def _work(tasks: Tasks, settings: Settings, database: Database) -> None:
    app = _application(tasks, settings, database)
    patience = settings.worker_stalled_after
    async with app.open_async(), asyncio.TaskGroup() as group:
        keeping = group.create_task(_keep(app, database, patience))
        try:
            await app.run_worker_async(
                name="",  # a name would log beside the filter above
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=GRACE,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=patience / 4,
                stalled_worker_timeout=patience,
            )
        finally:
            keeping.cancel()


def _application(tasks: Tasks, settings: Settings, database: Database) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(
        conninfo=settings.database_url,
        min_size=1,
        max_size=CONCURRENCY,
        kwargs={"options": "-c statement_timeout=30s", "connect_timeout": 5},
    )
    # What the clock asked for while no worker ran is done late rather than left out, up to a day.
    app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": 24 * 3600})
    for name, function in tasks.functions.items():
        registered = app.task(name=name, pass_context=True, retry=_Pauses())(_run(name, function, settings, database))
        if name in tasks.every:
            app.periodic(cron=tasks.every[name])(registered)
    return app


def _run(name: str, function: Task, settings: Settings, database: Database) -> Callable[..., Awaitable[None]]:
    async def run(context: procrastinate.JobContext, **arguments: Any) -> None:
        job = Job(context.job.id or 0, context.job.attempts + 1, database, settings)
        arguments.pop("timestamp", None)  # which tick of the clock: the task reads its own clock
        told = {"task": name, "job": job.id, "attempt": job.attempt}
        try:
            await function(job, **arguments)
        except Exception as error:
            last = isinstance(error, HopelessError) or job.attempt > len(PAUSES)
            log.log(logging.ERROR if last else logging.WARNING, "job failed", **told, last=last, exc_info=True)
            raise
        log.info("job done", **told)

    return run


# Jobs whose worker died: its heartbeat is old, or its row is gone.
RESCUE = text("""
    UPDATE procrastinate_jobs AS job
    SET status = (CASE WHEN attempts >= :most THEN 'failed' ELSE 'todo' END)::procrastinate_job_status,
        attempts = attempts + 1, scheduled_at = now(), worker_id = NULL
    WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id AND worker.last_heartbeat > now() - make_interval(secs => :patience))
    RETURNING id, task_name
""")


async def _keep(app: procrastinate.App, database: Database, patience: float) -> None:
    """Put back what dead workers held; forget what failed long ago."""
    swept = 0.0
    clock = asyncio.get_running_loop().time
    while True:
        async with database.reader.connect() as connection:
            for job, task in await connection.execute(RESCUE, {"most": len(PAUSES), "patience": patience}):
                log.warning("job of a dead worker", job=job, task=task)
        if not swept or clock() - swept > 3600:
            swept = clock()
            await app.job_manager.delete_old_jobs(
                FAILED_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )
        await asyncio.sleep(patience / 2)


def schema_statements() -> list[str]:
    """What makes the library's tables in the service's own schema, for its first migration."""
    return [resources.files("procrastinate").joinpath("sql/schema.sql").read_text("utf-8")]


def drop_statements() -> list[str]:
    """The way back from `schema_statements`."""
    return [
        # Of the functions one returns a row of a table: it goes with it.
        "DROP TABLE procrastinate_workers, procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers"
        " CASCADE",
        r"""
        DO $$
        DECLARE found record;
        BEGIN
            FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'procrastinate\_%'
            LOOP EXECUTE 'DROP FUNCTION ' || found.name; END LOOP;
        END $$
        """,
        "DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type",
    ]
