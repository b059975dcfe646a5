"""Jobs on a real database: in the request's transaction or not at all, and through every way a worker can end."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from shared import jobs
from shared.database import Database
from shared.jobs import Job, Tasks, defer, working
from tests.shared import workers
from tests.shared.jobs_service import TASKS, note
from tests.shared.workers import rows, settings, transaction, until
from tools import database as admin


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    name = new_database()
    urls = admin.service_urls(name)
    admin.prepare(name, urls)
    workers.prepare(urls["calendar"])
    return urls["calendar"]


@pytest.fixture(autouse=True)
def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE procrastinate_workers, procrastinate_jobs, traces CASCADE")


def traces(url: str) -> list[Any]:
    return rows(url, "SELECT attempt, word FROM traces ORDER BY job, attempt")


async def run(url: str, tasks: Tasks, held: Callable[[], Any]) -> Any:
    """A worker in this process until `held`."""
    database = Database(url, 4)
    try:
        async with working(tasks, settings(url), database):
            return await until(held)
    finally:
        await database.close()


async def test_a_committed_job_is_done_and_a_rolled_back_one_never(url: str) -> None:
    async with transaction(url) as session:
        await defer(session, "note", word="rolled back")
        await session.rollback()
    async with transaction(url) as session:
        await defer(session, "note", word="committed")
        assert rows(url, "SELECT id FROM procrastinate_jobs") == []
    await run(url, TASKS, lambda: traces(url) and not rows(url, "SELECT id FROM procrastinate_jobs"))
    assert traces(url) == [(1, "committed")]


async def test_a_job_waits_for_its_moment(url: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    async with transaction(url) as session:
        await defer(session, "note", at=soon, word="later")
    await run(url, TASKS, lambda: traces(url))
    assert datetime.now(UTC) >= soon


async def test_what_fails_is_tried_again_after_growing_pauses_and_then_has_failed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(jobs.PAUSES) == sorted(jobs.PAUSES)
    monkeypatch.setattr(jobs, "PAUSES", (0, 0))
    monkeypatch.setattr(jobs, "POLL", 0.1)

    async def fail(job: Job, *, word: str) -> None:
        await note(job, word=word)
        raise OSError("no")

    async with transaction(url) as session:
        await defer(session, "fail", word="again")
    await run(url, Tasks({"fail": fail}), lambda: rows(url, "SELECT 1 FROM procrastinate_jobs WHERE status = 'failed'"))
    assert traces(url) == [(1, "again"), (2, "again"), (3, "again")]


async def test_what_is_hopeless_is_not_tried_again_and_a_task_nobody_knows_fails(url: str) -> None:
    async def refuse(job: Job, *, word: str) -> None:
        await note(job, word=word)
        raise jobs.HopelessError("no such person")

    async with transaction(url) as session:
        await defer(session, "refuse", word="once")
        await defer(session, "unheard-of")
    failed = "SELECT task_name FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id"
    await run(url, Tasks({"refuse": refuse}), lambda: len(rows(url, failed)) == 2)
    assert traces(url) == [(1, "once")]


async def test_no_argument_is_in_the_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def fail(job: Job, *, word: str) -> None:
        raise jobs.HopelessError("it cannot be")

    async with transaction(url) as session:
        await defer(session, "fail", word="amina@labour.example")
        await defer(session, "note", word="amina@labour.example")
        await defer(session, "unheard-of", word="amina@labour.example")
    failed = "SELECT 1 FROM procrastinate_jobs WHERE status = 'failed'"
    await run(url, Tasks({"fail": fail, "note": note}), lambda: len(rows(url, failed)) == 2 and traces(url))
    assert caplog.records
    assert not [record for record in caplog.records if "amina" in str(record.__dict__)]


async def test_the_jobs_of_a_killed_worker_are_taken_over(url: str, tmp_path: Path) -> None:
    flag = tmp_path / "wait"
    flag.touch()
    async with transaction(url) as session:
        await defer(session, "linger", word="survived", flag=str(flag))
    with workers.process(url) as first:
        await until(flag.with_suffix(".begun").exists)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert rows(url, "SELECT status FROM procrastinate_jobs") == [("doing",)]
    flag.unlink()
    await run(url, TASKS, lambda: traces(url))
    assert traces(url) == [(2, "survived")]


async def test_a_worker_told_to_stop_ends_soon_and_puts_its_job_back(url: str, tmp_path: Path) -> None:
    flag = tmp_path / "wait"
    flag.touch()
    async with transaction(url) as session:
        await defer(session, "linger", word="later", flag=str(flag))
    with workers.process(url) as worker:
        await until(flag.with_suffix(".begun").exists)
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert time.monotonic() - began < jobs.GRACE + 2
    assert rows(url, "SELECT status FROM procrastinate_jobs") == [("todo",)]
    assert rows(url, "SELECT id FROM procrastinate_workers") == []
    flag.unlink()
    await run(url, TASKS, lambda: traces(url))


async def test_an_idle_worker_ends_at_once(url: str) -> None:
    database = Database(url, 2)
    async with working(TASKS, settings(url), database):
        await until(lambda: rows(url, "SELECT id FROM procrastinate_workers"))
        began = time.monotonic()
    assert time.monotonic() - began < 1
    await database.close()


async def test_the_clocks_tasks_run_once_for_all_workers(url: str) -> None:
    async def tick(job: Job) -> None:
        await note(job, word="tick")

    # Once a year: the last time was missed by less than a day only on the second of January.
    day = datetime.now(UTC) - timedelta(hours=1)
    tasks = Tasks({"tick": tick}, every={"tick": f"{day.minute} {day.hour} {day.day} {day.month} *"})
    first, second = Database(url, 2), Database(url, 2)
    async with working(tasks, settings(url), first), working(tasks, settings(url), second):
        await until(lambda: traces(url))
        await asyncio.sleep(0.5)
    await first.close()
    await second.close()
    assert traces(url) == [(1, "tick")]


async def test_the_worker_comes_back_when_its_connections_were_cut(
    url: str, admin_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "POLL", 0.2)
    database = Database(url, 4)
    async with working(TASKS, settings(url), database):
        await until(lambda: rows(url, "SELECT id FROM procrastinate_workers"))
        role = psycopg.conninfo.conninfo_to_dict(url)["user"]
        with psycopg.connect(admin_url, autocommit=True) as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])
        await database.engine.dispose()
        async with transaction(url) as session:
            await defer(session, "note", word="after the cut")
        await until(lambda: traces(url))
    await database.close()


async def test_old_failures_are_forgotten_and_young_ones_kept(url: str) -> None:
    async with transaction(url) as session:
        old = await defer(session, "unheard-of")
        young = await defer(session, "unheard-of")
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        connection.execute("UPDATE procrastinate_events SET at = now() - interval '31 days' WHERE job_id = %s", [old])
    await run(url, TASKS, lambda: rows(url, "SELECT id FROM procrastinate_jobs") == [(young,)])


async def test_the_way_back_leaves_nothing_behind(new_database: Callable[[], str]) -> None:
    name = new_database()
    urls = admin.service_urls(name)
    admin.prepare(name, urls)
    own = urls["mptf"]
    names = """
        SELECT relname FROM pg_class WHERE relname LIKE 'procrastinate%' UNION ALL
        SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%' UNION ALL
        SELECT typname FROM pg_type WHERE typname LIKE '%procrastinate%'
    """
    with psycopg.connect(own) as connection:
        for statement in jobs.schema_statements():
            connection.execute(statement)
        assert len(connection.execute(names).fetchall()) > 30
        assert connection.execute(
            "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class WHERE relname LIKE 'procrastinate%'"
        ).fetchall() == [("mptf",)]
        for statement in jobs.drop_statements():
            connection.execute(statement)
        assert connection.execute(names).fetchall() == []
