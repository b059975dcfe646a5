"""The notices of a review as a real SMTP server receives them, also when the worker is killed on the way."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import psycopg
import pytest

from services.practices.app import create_app
from services.practices.notices import TEXTS
from services.practices.reviews import service as review
from shared import clock
from shared.database import Database
from tests.clients import Api, running
from tests.practices.people import OWNER, SECRETARIAT, Person, act, submitted
from tests.shared.test_mail import free_port, received, smtp_server
from tests.shared.workers import ROOT, until
from tools import database, migrate


@pytest.fixture(scope="module")
def url(new_database: Callable[[], str]) -> str:
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"practices": urls["practices"]})
    return urls["practices"]


@pytest.fixture(scope="module")
async def office(url: str, jwks_url: str) -> AsyncIterator[Api]:
    """The service without its worker: mail waits until a test starts one."""
    async with running(create_app, url, jwks_url, run_worker=False) as client:
        yield client


@contextmanager
def worker(url: str, smtp: str) -> Iterator[subprocess.Popen[bytes]]:
    given = {
        "ENVIRONMENT": "development",
        "PRACTICES_DATABASE_URL": url,
        "SMTP_URL": smtp,
        "SECRETARIAT_MAIL": "desk@network.example",
        "PUBLIC_URL": "https://hub.example",
        "WORKER_STALLED_AFTER": "1",
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "shared.worker", "services.practices.app"]
    process = subprocess.Popen(command, cwd=ROOT, env={**inherited, **given})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def waiting(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        return int((found.fetchone() or (0,))[0])


async def sent(url: str, folder: Path) -> list[EmailMessage]:
    """Everything that waits, delivered."""
    with smtp_server(folder, free_port()) as smtp, worker(url, smtp):
        await until(lambda: not waiting(url), 60)
    return received(folder)


def to(mails: list[EmailMessage], address: str) -> list[str]:
    return [str(each["subject"]).partition(":")[2].strip() for each in mails if each["to"] == address]


async def test_everybody_hears_of_a_round_in_their_language(office: Api, url: str, tmp_path: Path) -> None:
    panel = [
        await Person("nadia", "internal", languages=["fr", "es", "en"]).enrol(office),
        await Person("noel", "external", languages=["es", "fr"]).enrol(office),
        await Person("nils", "external", languages=["en", "es"]).enrol(office),
    ]
    where = await submitted(office, language="es", title="Señales")
    for person in panel:
        await person.sit(office, where)
    await act(office, where, "review", SECRETARIAT)
    for person in panel:
        await person.report(office, where, "revise")
    await act(office, where, "return", SECRETARIAT, comment="Más cifras, por favor.")
    await act(office, where, "submit", OWNER)
    mails = await sent(url, tmp_path)

    assert sorted(to(mails, "nadia@reviewers.example")) == [
        "l'évaluation est ouverte",
        "voulez-vous évaluer une pratique ?",
        "voulez-vous évaluer une pratique ?",
    ]
    french = [each for each in mails if each["to"] == "nadia@reviewers.example"]
    assert {each["content-language"] for each in french} == {"fr"}
    assert len(french) == 3
    spanish = [each for each in mails if each["to"] == "noel@reviewers.example"]
    assert {each["content-language"] for each in spanish} == {"es"}
    assert {each["content-language"] for each in mails if each["to"] == "nils@reviewers.example"} == {"en"}
    owners = [each for each in mails if each["to"] == "lucia.quispe@puente.example"]
    assert len(owners) == 3
    returned = next(each for each in owners if "cambios" in each["subject"])
    assert "Más cifras, por favor." in returned.get_content()
    assert f"https://hub.example{where}" in returned.get_content()
    everything = "".join(each["subject"] + each.get_content() for each in owners)
    for person in panel:
        assert str(person.entry["name"]) not in everything
        assert str(person.entry["organisation"]) not in everything
    desk = [each["subject"] for each in mails if each["to"] == "desk@network.example"]
    assert sorted(each.partition(": ")[2] for each in desk) == ["submitted", "submitted", "the reviews are in"]
    assert len({each["message-id"] for each in mails}) == len(mails)


async def test_a_worker_killed_while_sending_loses_nothing_and_sends_nothing_twice(
    office: Api, url: str, tmp_path: Path
) -> None:
    person = await Person("kira", "external").enrol(office)
    where = await submitted(office, title="Through the night")
    await person.sit(office, where, conflict=None)
    before = waiting(url)
    assert before == 3
    # A server that takes the connection and says nothing: the worker has the mail in hand when it dies.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        with worker(url, f"smtp://127.0.0.1:{silent.getsockname()[1]}") as first:
            accepted, _ = silent.accept()
            first.send_signal(signal.SIGKILL)
            first.wait()
            accepted.close()
    assert waiting(url) == before
    assert (await office.get(where, by=SECRETARIAT)).json()["status"] == "submitted"
    mails = await sent(url, tmp_path)
    assert sorted(str(each["to"]) for each in mails) == [
        "desk@network.example",
        "kira@reviewers.example",
        "lucia.quispe@puente.example",
    ]


async def test_what_is_refused_sends_nothing(office: Api, url: str) -> None:
    where = await submitted(office)
    before = waiting(url)
    assert (await office.post(f"{where}/actions/return", by=SECRETARIAT, json={})).status_code == 422
    assert (await office.post(f"{where}/actions/publish", by=SECRETARIAT, json={"comment": "x"})).status_code == 409
    assert waiting(url) == before


async def test_a_late_reviewer_is_reminded_in_their_language(office: Api, url: str, tmp_path: Path) -> None:
    late = await Person("lena", "external", languages=["fr", "en"]).enrol(office)
    where = await submitted(office, title="Late")
    await late.sit(office, where, conflict=None)
    own = Database(url, 1)
    clock.configure(8)
    try:
        async with own.sessions() as session:
            assert await review.remind_late(session) >= 1
            await session.commit()
    finally:
        clock.configure(0)
        await own.close()
    subjects = to(await sent(url, tmp_path), "lena@reviewers.example")
    assert any("votre déclaration est attendue" in each for each in subjects)


def test_every_notice_to_people_has_three_languages_and_the_same_values() -> None:
    for name, texts in TEXTS.items():
        assert set(texts) == ({"en"} if name in ("submitted", "reported", "conflicted") else {"en", "fr", "es"})
        values = {part[: part.index("}")] for part in "".join(texts["en"]).split("{")[1:]}
        for text in texts.values():
            assert {part[: part.index("}")] for part in "".join(text).split("{")[1:]} == values, name
