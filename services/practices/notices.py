"""Who is told of what: mail deferred in the transaction that gives cause for it, in the receiver's language."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from services.practices.models import Assignment, Practice
from shared import jobs, mail

TEXTS: mail.Templates = {
    name: {language: mail.Text(*text) for language, text in texts.items()}
    for name, texts in json.loads((Path(__file__).with_name("data") / "notices.json").read_text("utf-8")).items()
}
# Stands for the secretariat's address, which the worker knows (SECRETARIAT_MAIL).
SECRETARIAT = "secretariat"
# How long a reviewer has.
REVIEW_DAYS = 21


async def deliver(job: jobs.Job, *, key: str, to: str, template: str, language: str, values: dict[str, str]) -> None:
    """`mail.send`'s task: with links of this platform, and the secretariat's address where it is meant."""
    address = job.settings.secretariat_mail if to == SECRETARIAT else to
    if address is None:
        return
    link = f"{job.settings.public_url.rstrip('/')}/v1/practices/{values['id']}"
    said = {**values, "link": link}
    await mail.sender(TEXTS)(job, key=key, to=address, template=template, language=language, values=said)


async def _send(
    session: AsyncSession, practice: Practice, to: str, template: str, language: str, **values: str
) -> None:
    known = {"id": str(practice.id), "reference": practice.reference, "title": practice.title}
    await mail.send(session, to, template, language=language, **known, **values)


async def owner(session: AsyncSession, practice: Practice, template: str, comment: str | None = None) -> None:
    """Tell the contact person, where there is one, in the language of the practice."""
    address = practice.content.get("contact", {}).get("email")
    if address:
        await _send(session, practice, address, template, practice.language or "en", comment=comment or "")


async def secretariat(session: AsyncSession, practice: Practice, template: str, **values: str) -> None:
    await _send(session, practice, SECRETARIAT, template, "en", **values)


async def reviewers(
    session: AsyncSession, practice: Practice, seats: Sequence[Assignment], template: str, **values: str
) -> None:
    """Tell each of them in the first language that they read."""
    for each in seats:
        await _send(session, practice, each.reviewer.email, template, each.reviewer.languages[0], **values)


async def remind(session: AsyncSession, practice: Practice, seat: Assignment, awaited: str, day: date | None) -> None:
    said = day.isoformat() if day else ""
    await reviewers(session, practice, [seat], f"remind_{awaited}", due=said)
