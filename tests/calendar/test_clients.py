"""Real calendar programs subscribe to a real process, and see the days that `occurrences` gives."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar

from tests import node
from tests.calendar.conftest import SECRETARIAT
from tests.calendar.days import answered, one_by_one
from tests.clients import Api
from tests.environments import TOP, environment

FIRST, LAST = date(2018, 1, 1), date(2027, 12, 31)


@pytest.fixture(scope="module")
async def served(seeded: Api) -> AsyncIterator[str]:
    """The address of the service in a process of its own, with a calendar that has something of everything."""
    for content in (
        {"title": "Leap", "kind": "key_date", "starts_on": "2020-02-29", "recurrence": "annual"},
        {
            "title": "Over the year's end",
            "kind": "key_date",
            "starts_on": "2019-12-30",
            "ends_on": "2020-01-02",
            "recurrence": "annual",
        },
        {
            "title": "Summer and winter",
            "kind": "webinar",
            "starts_at": "2026-03-28T23:00:00+01:00",
            "ends_at": "2026-03-28T23:45:00+01:00",
            "timezone": "Europe/Zurich",
            "recurrence": "annual",
        },
    ):
        made = await seeded.post("/v1/calendar/events", by=SECRETARIAT, json={**content, "publish": True})
        assert made.status_code == 201, made.text
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = seeded.app.state.settings  # type: ignore[attr-defined]
    process = subprocess.Popen(
        [sys.executable, "-m", "shared.serve", "services.calendar.app"],
        cwd=TOP,
        env={
            **os.environ,
            "ENVIRONMENT": "development",
            "CALENDAR_DATABASE_URL": settings.database_url,
            "RUN_WORKER": "false",
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
        },
    )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(f"{address}/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def run(tmp_path: Path, *command: str | Path) -> str:
    """Run a program of the clients' environment at home in `tmp_path`; it may not complain."""
    done = subprocess.run(
        [environment("calendar-clients") / command[0], *command[1:]],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for word in ("warning", "error", "critical", "traceback"):
        assert word not in done.stderr.lower(), done.stderr
    return done.stdout


VDIRSYNCER = """
[general]
status_path = "{here}/status/"

[pair network]
a = "feed"
b = "local"
collections = null
conflict_resolution = "a wins"

[storage feed]
type = "http"
url = "{address}/v1/calendar/feed.ics"

[storage local]
type = "filesystem"
path = "{here}/network/"
fileext = ".ics"
"""

KHAL = """
[calendars]
[[network]]
path = {here}/network/
readonly = True

[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = Europe/Zurich
default_timezone = Europe/Zurich

[sqlite]
path = {here}/khal.db
"""


async def test_vdirsyncer_fetches_the_feed_and_khal_shows_it(seeded: Api, served: str, tmp_path: Path) -> None:
    (tmp_path / "vdirsyncer.conf").write_text(VDIRSYNCER.format(here=tmp_path, address=served))
    (tmp_path / "network").mkdir()
    configuration = tmp_path / "vdirsyncer.conf"
    run(tmp_path, "vdirsyncer", "-v", "WARNING", "-c", configuration, "discover")
    run(tmp_path, "vdirsyncer", "-v", "WARNING", "-c", configuration, "sync")
    feed = (await seeded.get("/v1/calendar/feed.ics")).content
    assert len(list((tmp_path / "network").glob("*.ics"))) == feed.count(b"BEGIN:VEVENT")

    (tmp_path / "khal.conf").write_text(KHAL.format(here=tmp_path))
    first, last = date(2020, 1, 1), date(2024, 12, 31)
    listed = run(
        tmp_path,
        "khal",
        "-c",
        tmp_path / "khal.conf",
        "list",
        "--day-format",
        "day {date}",
        "--format",
        "{title}",
        first.isoformat(),
        f"{(last - first).days + 1}d",
    )
    seen: set[tuple[str, str]] = set()
    day = ""
    for line in listed.splitlines():
        if line.startswith("day "):
            day = line.removeprefix("day ")
        elif line.strip():
            seen.add((day, line.strip()))
    # khal shows hours on the clock of its user: what is in New York that morning is on the same day there.
    titles = {str(event["uid"]): str(event["summary"]) for event in Calendar.from_ical(feed).events}
    expected = one_by_one(await answered(seeded, first, last), first, last)
    # The uid in a folder of vdirsyncer's is its own.
    assert seen == {(day, titles[event]) for day, event in expected}


async def test_ical_js_reads_the_feed(seeded: Api, served: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{served}/v1/calendar/feed.ics")
    (tmp_path / "feed.ics").write_bytes(answer.content)
    library = node.installed() / "ical.js" / "dist" / "ical.js"
    done = node.run(
        Path(__file__).with_name("ical.mjs"),
        str(library),
        str(tmp_path / "feed.ics"),
        FIRST.isoformat(),
        LAST.isoformat(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = {tuple(each) for each in json.loads(done.stdout)}
    assert found == await answered(seeded, FIRST, LAST)


async def test_a_second_sync_moves_nothing(seeded: Api, served: str, tmp_path: Path) -> None:
    (tmp_path / "vdirsyncer.conf").write_text(VDIRSYNCER.format(here=tmp_path, address=served))
    (tmp_path / "network").mkdir()
    configuration = tmp_path / "vdirsyncer.conf"
    run(tmp_path, "vdirsyncer", "-v", "WARNING", "-c", configuration, "discover")
    run(tmp_path, "vdirsyncer", "-v", "WARNING", "-c", configuration, "sync")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "network").iterdir()}
    run(tmp_path, "vdirsyncer", "-v", "WARNING", "-c", configuration, "sync")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "network").iterdir()} == before
