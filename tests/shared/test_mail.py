"""Mail as a real SMTP server receives it, in a process of its own; and through the death of the worker."""

import mailbox
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import psycopg
import pytest

from shared import mail
from shared.database import Database
from shared.jobs import HopelessError, working
from tests.shared import workers
from tests.shared.jobs_service import TASKS, TEXTS
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def smtp_server(folder: Path, port: int, *options: str) -> Iterator[str]:
    """A mail server that keeps what it takes in a Maildir below `folder`; its URL."""
    command = [sys.executable, "-W", "ignore", "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}"]
    handler = ["-c", "aiosmtpd.handlers.Mailbox", str(folder / "maildir")]
    server = subprocess.Popen([*command, *options, *handler])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None
        yield f"smtp://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def received(folder: Path) -> list[EmailMessage]:
    if not (folder / "maildir").exists():
        return []
    box = mailbox.Maildir(folder / "maildir", create=False)
    return [message_from_bytes(box.get_bytes(key), policy=policy.default) for key in box.keys()]  # noqa: SIM118 - a mailbox iterates its messages


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [
        ("en", "A practice to review: Señales", "Please review “Señales”."),
        ("fr-CA", "Une pratique à évaluer : Señales", "Merci d’évaluer « Señales »."),
        ("es", "Una práctica por evaluar: Señales", "Le pedimos que evalúe «Señales»."),
        ("sw", "A practice to review: Señales", "Please review “Señales”."),
    ],
)
async def test_a_mail_arrives_in_the_receivers_language(
    url: str, tmp_path: Path, language: str, subject: str, words: str
) -> None:
    with smtp_server(tmp_path, free_port()) as smtp:
        async with transaction(url) as session:
            await mail.send(session, "ravi@roster.example", "assigned", language=language, title="Señales")
        database = Database(url, 2)
        given = settings(url, smtp_url=smtp, mail_from="Réseau <hub@migration.example>")
        async with working(TASKS, given, database):
            (message,) = await until(lambda: received(tmp_path))
        await database.close()
    assert message["to"] == "ravi@roster.example"
    assert message["from"] == "Réseau <hub@migration.example>"
    assert message["subject"] == subject
    assert words in message.get_content()
    assert message.get_content_type() == "text/plain"
    assert re.fullmatch(r"<[0-9a-f]{32}@migration\.example>", message["message-id"])
    assert message["auto-submitted"] == "auto-generated"
    assert message["content-language"] == {"sw": "en"}.get(language, language[:2])
    assert message["date"]


async def test_a_worker_killed_between_commit_and_sending_loses_nothing_and_sends_once(
    url: str, tmp_path: Path
) -> None:
    async with transaction(url) as session:
        await mail.send(session, "ravi@roster.example", "assigned", title="Kept")
    # A server that takes the connection and never says a word: the worker has the job and waits.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with workers.process(url, SMTP_URL=f"smtp://127.0.0.1:{port}") as worker:
            silent.settimeout(20)
            accepted, _ = silent.accept()
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            accepted.close()
    assert rows(url, "SELECT status FROM procrastinate_jobs") == [("doing",)]
    with (
        smtp_server(tmp_path, free_port()) as smtp,
        workers.process(url, SMTP_URL=smtp),
        workers.process(url, SMTP_URL=smtp),
    ):
        await until(lambda: received(tmp_path))
        await until(lambda: not rows(url, "SELECT id FROM procrastinate_jobs"))
    (message,) = received(tmp_path)
    assert message["subject"] == "A practice to review: Kept"


async def test_a_mail_of_a_rolled_back_request_is_not_sent(url: str, tmp_path: Path) -> None:
    async with transaction(url) as session:
        await mail.send(session, "ravi@roster.example", "assigned", title="Never")
        await session.rollback()
    async with transaction(url) as session:
        await mail.send(session, "ravi@roster.example", "assigned", title="Sent")
    with smtp_server(tmp_path, free_port()) as smtp, workers.process(url, SMTP_URL=smtp):
        await until(lambda: received(tmp_path))
        await until(lambda: not rows(url, "SELECT id FROM procrastinate_jobs"))
    assert [message["subject"] for message in received(tmp_path)] == ["A practice to review: Sent"]


async def test_in_development_mail_is_written_where_a_developer_looks(url: str, tmp_path: Path) -> None:
    async with transaction(url) as session:
        await mail.send(session, "ravi@roster.example", "assigned", title="Look")
    database = Database(url, 2)
    async with working(TASKS, settings(url, data_dir=tmp_path), database):
        (file,) = await until(lambda: list((tmp_path / "mail").glob("*.eml")))
    await database.close()
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["subject"] == "A practice to review: Look"
    assert (tmp_path / "mail").stat().st_mode & 0o077 == 0


async def test_outside_development_mail_waits_for_a_server(tmp_path: Path) -> None:
    given = settings("", data_dir=tmp_path).model_copy(update={"environment": "production"})
    message = mail.compose("a@b.example", "c@d.example", TEXTS["assigned"]["en"], {"title": ""}, key="k", language="en")
    with pytest.raises(RuntimeError, match="SMTP_URL"):
        await mail.transmit(given, message, "k")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("title", ["x\r\nBcc: all@example.org", "x\nSubject: other", "x\u2028y\x00\r\n.\r\nQUIT"])
async def test_a_value_neither_ends_a_header_nor_a_mail(url: str, tmp_path: Path, title: str) -> None:
    text = TEXTS["assigned"]["en"]
    message = mail.compose("a@b.example", "c@d.example", text, {"title": title}, key="k", language="en")
    with smtp_server(tmp_path, free_port()) as smtp:
        await mail.transmit(settings(url, smtp_url=smtp), message, "k")
    (found,) = received(tmp_path)
    assert found["bcc"] is None
    assert found.get_all("subject") == [message["subject"]]
    assert found["to"] == "c@d.example"


@pytest.mark.parametrize("to", ["", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example", "a b@c.d"])
def test_what_is_no_single_address_is_hopeless(to: str) -> None:
    with pytest.raises(HopelessError):
        mail.compose("a@b.example", to, TEXTS["assigned"]["en"], {"title": ""}, key="k", language="en")


async def test_a_refusal_for_good_is_hopeless_and_never_repeats_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = aiosmtplib.SMTPRecipientRefused
    for code, kind in ((550, HopelessError), (450, RuntimeError)):

        async def refuse(*_: object, code: int = code, **__: object) -> None:
            raise aiosmtplib.SMTPRecipientsRefused([refused(code, "ravi@roster.example is unknown", "ravi")])

        monkeypatch.setattr(aiosmtplib, "send", refuse)
        message = mail.compose(
            "a@b.c", "ravi@roster.example", TEXTS["assigned"]["en"], {"title": ""}, key="k", language="en"
        )
        with pytest.raises(kind) as raised:
            await mail.transmit(settings("", smtp_url="smtp://localhost"), message, "k")
        assert "ravi" not in str(raised.value)
        assert str(code) in str(raised.value)


def test_a_password_is_never_sent_in_the_clear() -> None:
    assert mail.connection("smtp://hub:p%40ss@mail.example:587") == {
        "hostname": "mail.example",
        "port": 587,
        "username": "hub",
        "password": "p@ss",
        "use_tls": False,
        "start_tls": True,
    }
    assert mail.connection("smtps://mail.example")["port"] == 465
    with pytest.raises(ValueError, match="SMTP_URL"):
        mail.connection("http://mail.example")
