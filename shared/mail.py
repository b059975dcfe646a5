"""Mail: deferred with what it tells of, sent by the worker in the receiver's language, each once within reason."""

import asyncio
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from shared import clock, jobs
from shared.settings import Settings

SEND = "mail.send"
TIMEOUT = 30.0


class Text(NamedTuple):
    """A mail's subject and body with `{name}` where values go."""

    subject: str
    body: str


# A service's mails: name -> language (en, fr, es) -> text. English is always there.
Templates = Mapping[str, Mapping[str, Text]]


async def send(session: AsyncSession, to: str, template: str, *, language: str = "en", **values: str) -> int:
    """Have a mail sent once this session's transaction is committed; the job's id.

    `to` is one address, `template` a name in the table that the service gave to `sender`, `language` the
    receiver's tag. The address is kept until the mail has been sent.
    """
    return await jobs.defer(session, SEND, key=uuid7().hex, to=to, template=template, language=language, values=values)


def sender(templates: Templates) -> jobs.Task:
    """The task behind `send`: `Tasks({mail.SEND: mail.sender(TEMPLATES), …})`."""

    async def deliver(
        job: jobs.Job, *, key: str, to: str, template: str, language: str, values: dict[str, str]
    ) -> None:
        texts = templates[template]
        tongue = language.partition("-")[0].lower()
        tongue = tongue if tongue in texts else "en"
        message = compose(job.settings.mail_from, to, texts[tongue], values, key=key, language=tongue)
        await transmit(job.settings, message, key)

    return deliver


def compose(sent_from: str, to: str, text: Text, values: Mapping[str, Any], *, key: str, language: str) -> EmailMessage:
    """The message. A value can neither end a header nor start another; `key` makes the Message-ID.

    Whoever gets it twice, because the worker died between the server's yes and its own note of it, gets the same
    Message-ID: mail servers and readers drop the second. Raises HopelessError for an address that is none.
    """
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(sent_from)
    try:
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=to)
    except (MessageError, ValueError, IndexError):
        raise jobs.HopelessError("the receiver's or the sender's address is none") from None
    message["Subject"] = " ".join(text.subject.format_map(values).split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{key}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    # Content comes first: setting it drops every Content-… field that stands already.
    message.set_content(text.body.format_map(values))
    message["Content-Language"] = language
    return message


async def transmit(settings: Settings, message: EmailMessage, key: str) -> None:
    """Hand the message to SMTP_URL; in development without one, write it to DATA_DIR/mail for whoever looks."""
    if settings.smtp_url is None:
        if not settings.development:
            raise RuntimeError("SMTP_URL is not set: mail waits")
        await asyncio.to_thread(_write, settings.data_dir / "mail", key, message.as_bytes())
        return
    try:
        await aiosmtplib.send(message, timeout=TIMEOUT, **connection(settings.smtp_url))
    except aiosmtplib.SMTPAuthenticationError as error:
        raise RuntimeError(f"the mail server refuses our name: {error.code}") from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _refusal([each.code for each in error.recipients]) from None
    except aiosmtplib.SMTPResponseException as error:
        raise _refusal([error.code]) from None
    except aiosmtplib.SMTPException as error:
        # The library's words may repeat the receiver's address.
        raise RuntimeError(f"the mail server cannot be spoken with: {type(error).__name__}") from None


def _refusal(codes: list[int]) -> Exception:
    """5xx is for good (RFC 5321, section 4.2.1), all else may pass."""
    told = f"the mail server answers {', '.join(map(str, codes))}"
    return jobs.HopelessError(told) if all(500 <= code < 600 for code in codes) else RuntimeError(told)


def connection(url: str) -> dict[str, Any]:
    """`smtp://user:password@host:587` or `smtps://host:465` as the SMTP client's arguments.

    `smtp` is encrypted by STARTTLS where the server offers it, and always where a password is sent.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("SMTP_URL is smtp://host:port or smtps://host:port, with user:password@ where needed")
    tls = parts.scheme == "smtps"
    return {
        "hostname": parts.hostname,
        "port": parts.port or (465 if tls else 25),
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "use_tls": tls,
        "start_tls": None if tls or not parts.username else True,
    }


def _write(folder: Path, key: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = folder / f".{key}"
    unfinished.write_bytes(content)
    unfinished.replace(folder / f"{key}.eml")
