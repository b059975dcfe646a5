"""What pledges cost at 1,000, 100,000 and 1,000,000: ``python -m benchmarks.pledges [sizes]``.

For each size a database of its own on an embedded server, the service as a real process, one client after the
other. Prints the p50 and p99 in milliseconds, the CPU time a request of the service and of PostgreSQL together,
and the ratio of that CPU to the smallest size. Numbers of other machines differ; the ratios tell.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
import psycopg

from services.pledges import seed
from shared.database import Database
from tools import database, migrate, postgres

SIZES = (1_000, 100_000, 1_000_000)
REQUESTS = 200
BASE = 1_000
# As a production server would be set for this machine, but for safety: what is loaded ends with the run.
SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}

Paths = Callable[[random.Random], str]
COUNTRIES = ("KEN", "PER", "FRA", "NPL", "MAR", "PHL", "DEU", "COL")


def _scenarios(ids: list[str]) -> dict[str, Paths]:
    words = ("remittances", "detention children", "health services", "seasonal workers")
    return {
        "get": lambda draw: f"/v1/pledges/{draw.choice(ids)}",
        "list": lambda draw: "/v1/pledges",
        "list by country and objective": lambda draw: (
            f"/v1/pledges?country={draw.choice(COUNTRIES)}&objective={draw.randint(1, 23)}"
        ),
        "search": lambda draw: f"/v1/pledges?q={draw.choice(words)}",
        "summary": lambda draw: "/v1/pledges/summary",
        "summary, one filter": lambda draw: f"/v1/pledges/summary?objective={draw.randint(1, 23)}",
        "summary, two filters": lambda draw: (
            f"/v1/pledges/summary?objective={draw.randint(1, 23)}&country={draw.choice(COUNTRIES)}"
        ),
        "summary, four filters": lambda draw: (
            f"/v1/pledges/summary?objective={draw.randint(1, 12)}&objective={draw.randint(13, 23)}"
            f"&region=002&form=policy&published_from=2022-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        ),
        "summary, words": lambda draw: f"/v1/pledges/summary?q={draw.choice(words)}&objective={draw.randint(1, 23)}",
    }


# Each base record again and again under a new id and date; the working records behind are not read here.
MULTIPLY = """
WITH copies AS (
    SELECT p.id AS base, uuidv7() AS id, n, p.published_at + n * interval '37 minutes' AS at
    FROM published_pledges p CROSS JOIN generate_series(1, %(times)s) n
), working AS (
    INSERT INTO pledges (id, reference, status, version, revision, owner, created_by, content, sample, complete,
        public, confirmed, created_at, updated_at, published_at, forms, objectives, principles, countries, regions,
        title, search)
    SELECT id, 'B-' || id, 'published', 1, 1, 'org-sample', 'bench', '{}', true, true, true, '{}', at, at, at,
        '{}', '{}', '{}', '{}', '{}', '', ''
    FROM copies
)
INSERT INTO published_pledges (id, reference, published_at, updated_at, fresh_since, amount, currency, body, approach,
    entity_type, language, scope, implementation_status, forms, objectives, principles, countries, regions, title,
    search)
SELECT c.id, 'B-' || c.id, c.at, c.at, c.at, p.amount, p.currency, p.body, p.approach, p.entity_type, p.language,
    p.scope, p.implementation_status, p.forms, p.objectives, p.principles, p.countries, p.regions,
    p.title || ' ' || c.n, p.search
FROM copies c JOIN published_pledges p ON p.id = c.base
"""


def _load(url: str, size: int) -> None:
    async def base() -> None:
        db = Database(url, pool_size=1)
        async with db.sessions() as session:
            await seed.load_samples(session, range(1, BASE + 1), BASE)
            await session.commit()
        await db.close()

    asyncio.run(base())
    with psycopg.connect(url, autocommit=True) as connection:
        if size > BASE:
            indexes = connection.execute(
                "SELECT indexname, indexdef FROM pg_indexes"
                " WHERE tablename = 'published_pledges' AND indexdef LIKE '%gin%'"
            ).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            with connection.transaction():
                connection.execute(MULTIPLY, {"times": size // BASE - 1})
            for _, definition in indexes:
                connection.execute(definition)
        connection.execute("VACUUM ANALYZE published_pledges")
        connection.execute("ANALYZE pledges")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _service(url: str) -> Iterator[tuple[psutil.Process, httpx.Client, float]]:
    """The service's process, a client of it, and the seconds until it was ready."""
    port = _free_port()
    environment = {**os.environ, "ENVIRONMENT": "development", "PLEDGES_DATABASE_URL": url, "PORT": str(port)}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "shared.serve", "services.pledges.app"],
        env={**environment, "LOG_LEVEL": "WARNING", "OIDC_JWKS_URL": "http://127.0.0.1:1/keys"},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            while time.monotonic() - began < 300:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield psutil.Process(process.pid), client, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _measure(client: httpx.Client, paths: Paths, watched: list[psutil.Process]) -> tuple[float, float, float]:
    """The p50 and p99 in milliseconds, and the CPU milliseconds a request."""
    draw = random.Random(7)  # noqa: S311
    for _ in range(10):
        client.get(paths(draw)).raise_for_status()
    took = []
    before = _cpu(watched)
    for _ in range(REQUESTS):
        path = paths(draw)
        began = time.perf_counter()
        client.get(path).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    cpu = (_cpu(watched) - before) * 1000 / REQUESTS
    cuts = quantiles(took, n=100)
    return cuts[49], cuts[98], cpu


def _export(client: httpx.Client, form: str, process: psutil.Process) -> str:
    """How long an export of everything takes, its size, and the most memory that the service had meanwhile."""
    began, size, most = time.perf_counter(), 0, 0
    with client.stream("GET", f"/v1/pledges/export?format={form}") as answer:
        answer.raise_for_status()
        for part in answer.iter_raw():
            size += len(part)
            most = max(most, process.memory_info().rss)
    return f"export as {form}: {time.perf_counter() - began:.0f} s, {size / 2**20:.0f} MB, memory {most / 2**20:.0f} MB"


def _server(folder: Path) -> psutil.Process:
    pid = int(next(folder.rglob("postmaster.pid")).read_text().split()[0])
    return psutil.Process(pid)


def main() -> None:
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    smallest: dict[str, float] = {}
    for size in sizes:
        with (
            tempfile.TemporaryDirectory(prefix="gcm-bench-", dir="/tmp") as folder,
            postgres.running(Path(folder), settings=SERVER, say=lambda _: None, durable=False) as admin,
        ):
            urls = database.service_urls(admin)
            database.prepare(admin, urls)
            migrate.upgrade({"pledges": urls["pledges"]})
            began = time.monotonic()
            _load(urls["pledges"], size)
            loaded = time.monotonic() - began
            with psycopg.connect(urls["pledges"]) as connection:
                sampled = connection.execute("SELECT id FROM published_pledges ORDER BY title LIMIT 500").fetchall()
            ids = [str(row[0]) for row in sampled]
            with _service(urls["pledges"]) as (process, client, ready):
                print(f"\n{size:,} pledges: loaded in {loaded:.0f} s, service ready after {ready:.1f} s\n")
                print("| question | p50 ms | p99 ms | CPU ms | CPU, ratio |\n|---|--:|--:|--:|--:|")
                for name, paths in _scenarios(ids).items():
                    p50, p99, cpu = _measure(client, paths, [process, _server(Path(folder))])
                    ratio = cpu / smallest.setdefault(name, cpu)
                    print(f"| {name} | {p50:.1f} | {p99:.1f} | {cpu:.2f} | {ratio:.1f} |", flush=True)
                for form in ("jsonl", "csv"):
                    print(_export(client, form, process), flush=True)
                print(f"\nmemory of the service: {process.memory_info().rss / 2**20:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
