"""What the calendar costs with 1,000 and with 100,000 events over twenty years, in one run.

`python -m benchmarks.calendar` starts a PostgreSQL and the service, both on 127.0.0.1, and prints for each request
the median and 99th percentile (ms), the service's CPU time (ms) and the answer's size, and how much more it costs with
a hundred times the events. One in a hundred events recurs every year. Copies keep the rendered bytes of the thousand
that they are made from, so that sizes are right and filling takes seconds.
"""

import asyncio
import http.client
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import psutil
import psycopg

from benchmarks.gateway import free_port
from services.calendar import schemas, service
from services.calendar.models import Event, PublishedEvent
from services.calendar.seed import LOADER
from shared.database import Database
from tools import database, migrate, postgres

FEW, MANY = 1_000, 100_000
FIRST, DAYS = date(2016, 1, 1), 7305
REQUESTS = (
    ("occurrences of a month", "/v1/calendar/occurrences?from=2026-05-01&to=2026-05-31"),
    ("the same, up to 1,000", "/v1/calendar/occurrences?from=2026-05-01&to=2026-05-31&limit=1000"),
    ("occurrences of ten years, first page", "/v1/calendar/occurrences?from=2021-01-01&to=2030-12-31"),
    ("feed.ics", "/v1/calendar/feed.ics"),
    ("feed.ics, one objective", "/v1/calendar/feed.ics?objective=6"),
    ("feed.ics of a month", "/v1/calendar/feed.ics?from=2026-05-01&to=2026-05-31"),
    ("a page of the list", "/v1/calendar/events"),
)
ROUNDS = 150
KINDS = ("webinar", "dialogue", "briefing", "conference", "key_date")
# What differs in a copy; all other columns are the original's.
SHIFTED = {"first_day": "first_day + shift", "last_day": "last_day + shift"}
SHIFTED_EVENT = {"id": "new_id", "reference": "reference || '-' || copy", "external_id": "NULL", **SHIFTED}
SHIFTED_ROW = {
    "id": "new_id",
    "reference": "reference || '-' || copy",
    **SHIFTED,
    "until": "CASE WHEN anniversary IS NULL THEN last_day + shift ELSE until END",
    "days": "daterange(first_day + shift, CASE WHEN anniversary IS NULL THEN last_day + shift + 1 END)",
    "anniversary": "CASE WHEN anniversary IS NOT NULL THEN "
    "extract(month FROM first_day + shift) * 100 + extract(day FROM first_day + shift) END",
}


async def fill(url: str) -> None:
    """A thousand events through the service itself."""
    chance = random.Random(1)  # noqa: S311 - the same events every time
    db = Database(url, pool_size=2)
    for start in range(0, FEW, 100):
        async with db.sessions.begin() as session:
            for number in range(start, start + 100):
                first = FIRST + timedelta(days=chance.randrange(DAYS))
                annual = number % 100 == 0
                content = {
                    "title": f"Dialogue {number} on safe, orderly and regular migration",
                    "kind": chance.choice(KINDS),
                    "starts_on": first.isoformat(),
                    "ends_on": (first + timedelta(days=chance.randrange(3))).isoformat(),
                    "recurrence": "annual" if annual else "none",
                    "objectives": sorted(chance.sample(range(1, 24), 2)),
                    "lead_entities": [{"name": chance.choice(["IOM", "ILO", "WHO", "UNODC"])}],
                    "location": "Palais des Nations, Geneva",
                    "organisers": ["UN Network on Migration"],
                    "description": "What States, the United Nations system and stakeholders have learnt. " * 4,
                }
                event = await service.add(session, service.checked(content), LOADER)
                await service.act(session, event, "publish", schemas.EventAction(), LOADER)
    await db.close()


def multiply(url: str) -> None:
    """A hundred times as many, each on a day of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE copies AS SELECT id AS original, gen_random_uuid() AS new_id, copy,"
            f" date '{FIRST}' + floor(random() * {DAYS})::int - first_day AS shift"
            f" FROM events CROSS JOIN generate_series(1, {MANY // FEW - 1}) AS copy"
        )
        for model, shifted in ((Event, SHIFTED_EVENT), (PublishedEvent, SHIFTED_ROW)):
            table = model.__tablename__
            names = [column.name for column in model.__table__.columns]
            values = ", ".join(shifted.get(name, name) for name in names)
            connection.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table} JOIN copies ON original = id"
            )
        connection.execute("VACUUM ANALYZE events, published_events")


def measure(port: int, process: psutil.Process) -> list[tuple[float, float, float, int]]:
    """Median and 99th percentile, CPU time of the service (ms) and bytes, for each request."""
    rows = []
    for _, path in REQUESTS:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        times, size = [], 0
        for number in range(ROUNDS + 10):
            if number == 10:
                before = process.cpu_times()
            begun = time.perf_counter()
            client.request("GET", path)
            answer = client.getresponse()
            size = len(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            if number >= 10:
                times.append((time.perf_counter() - begun) * 1000)
        after = process.cpu_times()
        cpu = (after.user + after.system - before.user - before.system) * 1000 / ROUNDS
        rows.append((statistics.median(times), statistics.quantiles(times, n=100)[98], cpu, size))
    return rows


def serve(url: str, port: int) -> subprocess.Popen[bytes]:
    """The service in a process of its own, once it is ready."""
    told = {"ENVIRONMENT": "development", "CALENDAR_DATABASE_URL": url, "RUN_WORKER": "false", "PORT": str(port)}
    command = [sys.executable, "-m", "shared.serve", "services.calendar.app"]
    process = subprocess.Popen(command, env={**os.environ, **told, "LOG_LEVEL": "ERROR"})  # noqa: S603
    for _ in range(300):
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            client.request("GET", "/readyz")
            if client.getresponse().status == 200:
                return process
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the service did not start")


def main() -> int:
    with (
        tempfile.TemporaryDirectory(prefix="gcm-bench-", dir="/tmp") as folder,
        postgres.running(Path(folder), say=lambda line: None, durable=False) as admin_url,
    ):
        urls = database.service_urls(admin_url, {})
        database.prepare(admin_url, urls)
        migrate.upgrade({"calendar": urls["calendar"]})
        asyncio.run(fill(urls["calendar"]))
        found = []
        process = serve(urls["calendar"], port := free_port())
        try:
            for grow in (False, True):
                if grow:
                    multiply(urls["calendar"])
                found.append(measure(port, psutil.Process(process.pid)))
        finally:
            process.terminate()
            process.wait(30)
    heads = f"{'p50':>8}{'p99':>8}{'CPU':>7}{'bytes':>9}"
    print(f"{'':38}{f'{FEW:,} events':>32}{f'{MANY:,} events':>34}{'ratio':>14}")
    print(f"{'':38}{heads}  {heads}{'p50':>8}{'CPU':>6}")
    for (name, _), few, many in zip(REQUESTS, *found, strict=True):
        cells = "  ".join(f"{p50:8.2f}{p99:8.2f}{cpu:7.2f}{size:9d}" for p50, p99, cpu, size in (few, many))
        print(f"{name:38}{cells}{many[0] / few[0]:8.1f}{many[2] / few[2]:6.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
