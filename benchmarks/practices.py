"""What practices cost at 1,000 and 100,000: ``python -m benchmarks.practices [sizes]``.

For each size a database of its own on an embedded server, the service as a real process, one client after the
other. Prints p50 and p99 in milliseconds, the CPU time of the service and of PostgreSQL for each request, and the
ratios of p99 and of that CPU time to the smallest size. Texts are made of words whose frequencies fall as in any
language (Zipf); many queries hit more than the 500 newest that relevance is computed for. Numbers of other
machines differ; the ratios tell.
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
from itertools import accumulate
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import psutil
import psycopg

from services.practices import imports
from shared.database import Database
from tools import database, migrate, postgres

SIZES = (1_000, 100_000)
BASE = 1_000
REQUESTS = 120
WARM_UP = 15
SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}

COUNTRIES = ("KEN", "PER", "FRA", "NPL", "MAR", "PHL", "DEU", "COL")
SYLLABLES = ("mi", "gra", "tor", "sel", "ba", "non", "ver", "lu", "cas", "pen", "dor", "ti", "ma", "rel", "so", "kun")

Draw = random.Random
Paths = Callable[[Draw], str]


def vocabulary() -> list[str]:
    """4,000 words, the most frequent first."""
    draw = Draw(1)
    words: dict[str, None] = {}
    while len(words) < 4_000:
        words["".join(draw.choices(SYLLABLES, k=draw.randint(2, 4)))] = None
    return list(words)


WORDS = vocabulary()
ZIPF = list(accumulate(1 / (rank + 2) for rank in range(len(WORDS))))


def text(draw: Draw, count: int) -> str:
    return " ".join(draw.choices(WORDS, cum_weights=ZIPF, k=count))


def entry(number: int) -> dict[str, Any]:
    """One published practice, as an import brings it: some 230 words, every third with a translation."""
    draw = Draw(number)
    language = ("en", "fr", "es")[number % 3]
    translations = {}
    if number % 3 == 1:
        translations = {"en": {"title": text(draw, 6), "summary": text(draw, 25)}}
    return {
        "external_id": f"bench-{number}",
        "owner": "org-bench",
        "publish": True,
        "source": {"name": "Benchmark", "url": None, "note": None},
        "content": {
            "title": text(draw, 6),
            "language": language,
            "summary": text(draw, 25),
            "description": text(draw, 160),
            "lessons": text(draw, 40),
            "translations": translations,
            "organisations": [{"name": text(draw, 2), "type": draw.choice(["un_entity", "civil_society", "academia"])}],
            "countries": draw.sample(COUNTRIES, draw.randint(1, 3)),
            "scope": draw.choice(["local", "national", "regional", "global"]),
            "primary_objectives": draw.sample(range(1, 24), draw.randint(1, 3)),
            "principles": ["human_rights"],
            "sdgs": draw.sample(range(1, 18), 2),
            "starts_on": "2021",
            "ongoing": True,
        },
    }


# Each base record again and again under a new id and date.
MULTIPLY = """
CREATE TEMPORARY TABLE copies AS
    SELECT p.id AS base, uuidv7() AS id, n, p.published_at + n * interval '37 minutes' AS at
    FROM published_practices p CROSS JOIN generate_series(1, %(times)s) n;
INSERT INTO practices (id, reference, status, version, revision, owner, created_by, content, sample, complete, public,
    created_at, updated_at, published_at, languages, objectives, principles, sdgs, entity_types, countries, regions,
    title, title_search, head, search, round, decided_round, editorial, source)
SELECT id, 'B-' || id, 'published', 1, 1, 'org-bench', 'bench', '{}', false, true, true, at, at, at,
    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '', '', '', '', 0, 0, false, '{}' FROM copies;
INSERT INTO published_practices (id, reference, published_at, updated_at, language, languages, scope, objectives,
    principles, sdgs, entity_types, countries, regions, title, title_search, head, search)
SELECT c.id, 'B-' || c.id, c.at, c.at, p.language, p.languages, p.scope, p.objectives, p.principles, p.sdgs,
    p.entity_types, p.countries, p.regions, p.title || ' ' || c.n, p.title_search, p.head, p.search
FROM copies c JOIN published_practices p ON p.id = c.base ORDER BY c.id;
INSERT INTO published_texts (id, language, languages, title, body, html, plain)
SELECT c.id, t.language, t.languages, t.title, t.body, t.html, t.plain
FROM copies c JOIN published_texts t ON t.id = c.base ORDER BY c.id;
"""
TABLES = ("published_practices", "published_texts", "practices", "words")


def load(url: str, size: int) -> None:
    async def base() -> None:
        db = Database(url, pool_size=1)
        async with db.sessions() as session:
            lines = await imports.load(session, [entry(number) for number in range(BASE)])
            await session.commit()
        await db.close()
        if any(line.outcome != "published" for line in lines):
            raise RuntimeError("the base was not loaded")

    asyncio.run(base())
    with psycopg.connect(url, autocommit=True) as connection:
        if size > BASE:
            indexes = connection.execute(
                "SELECT indexname, indexdef FROM pg_indexes"
                " WHERE tablename = 'published_practices' AND indexdef LIKE '%gin%'"
            ).fetchall()
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            for statement in MULTIPLY.split(";\n")[:-1]:
                connection.execute(statement, {"times": size // BASE - 1} if "times" in statement else None)
            for _, definition in indexes:
                connection.execute(definition)
        for table in TABLES:
            connection.execute(f"VACUUM ANALYZE {table}")


def prepared(admin: str, size: int) -> str:
    """A database with so many practices; the service's URL."""
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"practices": urls["practices"]})
    load(urls["practices"], size)
    return urls["practices"]


def scenarios(ids: list[str]) -> dict[str, Paths]:
    def misspelt(draw: Draw) -> str:
        word = draw.choice(WORDS[:500])
        return word[:3] + "q" + word[3:]

    return {
        "get": lambda draw: f"/v1/practices/{draw.choice(ids)}",
        "list": lambda draw: "/v1/practices",
        "list by country and objective": lambda draw: (
            f"/v1/practices?country={draw.choice(COUNTRIES)}&objective={draw.randint(1, 23)}"
        ),
        "search, frequent words": lambda draw: f"/v1/practices?q={draw.choice(WORDS[:20])}",
        "search, middling words": lambda draw: f"/v1/practices?q={draw.choice(WORDS[100:400])}",
        "search, rare words": lambda draw: f"/v1/practices?q={draw.choice(WORDS[2000:])}",
        "search, two words": lambda draw: f"/v1/practices?q={draw.choice(WORDS[:50])}+{draw.choice(WORDS[:300])}",
        "search, misspelt": lambda draw: f"/v1/practices?q={misspelt(draw)}",
        "search in a country": lambda draw: (
            f"/v1/practices?q={draw.choice(WORDS[:200])}&country={draw.choice(COUNTRIES)}"
        ),
        "similar": lambda draw: f"/v1/practices/{draw.choice(ids)}/similar",
        "summary": lambda draw: "/v1/practices/summary",
        "summary, words": lambda draw: f"/v1/practices/summary?q={draw.choice(WORDS[:300])}",
    }


@contextmanager
def service(url: str) -> Iterator[tuple[psutil.Process, httpx.Client]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "ENVIRONMENT": "development", "PRACTICES_DATABASE_URL": url, "PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "shared.serve", "services.practices.app"],
        env={**environment, "LOG_LEVEL": "WARNING", "OIDC_JWKS_URL": "http://127.0.0.1:1/keys", "RUN_WORKER": "false"},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            yield psutil.Process(process.pid), client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def cpu(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with process.oneshot():
            times = process.cpu_times()
            total += times.user + times.system
    return total


def measure(client: httpx.Client, worker: psutil.Process, server: psutil.Process, path: Paths) -> tuple[float, ...]:
    """p50 and p99 in ms, CPU of the service and of PostgreSQL in ms a request."""
    draw = Draw(7)
    for _ in range(WARM_UP):
        client.get(path(draw)).raise_for_status()
    draw = Draw(8)
    behind = server.children(recursive=True)
    before = cpu([worker]), cpu(behind)
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        client.get(path(draw)).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    after = cpu([worker]), cpu(behind)
    cut = quantiles(took, n=100)
    each = [(late - early) * 1000 / REQUESTS for early, late in zip(before, after, strict=True)]
    return cut[49], cut[98], each[0], each[1]


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    first: dict[str, tuple[float, float]] = {}
    titles = ("p50 ms", "p99 ms", "service", "postgres")
    print(f"{'':32}{'practices':>10}{''.join(f'{title:>9}' for title in titles)}{'p99 ratio':>11}{'CPU ratio':>11}")
    with (
        tempfile.TemporaryDirectory(prefix="gcm-bench-", dir="/tmp") as folder,
        postgres.running(Path(folder), settings=SERVER, say=lambda line: None, durable=False) as admin,
    ):
        for size in sizes:
            url = prepared(admin.rsplit("/", 1)[0] + f"/bench_{size}", size)
            with psycopg.connect(url) as connection:
                rows = connection.execute("SELECT id FROM published_practices ORDER BY random() LIMIT 200")
                ids = [str(row[0]) for row in rows.fetchall()]
                found = connection.execute("SELECT pg_backend_pid()").fetchone()
                server = psutil.Process(psutil.Process((found or (0,))[0]).ppid())
            with service(url) as (worker, client):
                for label, path in scenarios(ids).items():
                    p50, p99, own, behind = measure(client, worker, server, path)
                    base = first.setdefault(label, (p99, own + behind))
                    numbers = f"{p50:>9.2f}{p99:>9.2f}{own:>9.2f}{behind:>9.2f}"
                    ratios = f"{p99 / base[0]:>11.1f}{(own + behind) / base[1]:>11.1f}"
                    print(f"{label:32}{size:>10,}{numbers}{ratios}", flush=True)


if __name__ == "__main__":
    main()
