"""A service that only has tasks, for workers in processes of their own: `python -m shared.worker` starts it."""

import asyncio
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import text

from shared import mail
from shared.application import create_service
from shared.idempotency import IdempotencyMixin
from shared.jobs import Job, Tasks
from shared.settings import Settings

TEXTS: mail.Templates = {
    "assigned": {
        "en": mail.Text("A practice to review: {title}", "Dear reviewer,\n\nPlease review “{title}”.\n"),
        "fr": mail.Text("Une pratique à évaluer : {title}", "Bonjour,\n\nMerci d’évaluer « {title} ».\n"),
        "es": mail.Text("Una práctica por evaluar: {title}", "Hola:\n\nLe pedimos que evalúe «{title}».\n"),
    }
}


async def note(job: Job, *, word: str) -> None:
    """Leave a trace of each run."""
    async with job.database.engine.begin() as connection:
        values = {"job": job.id, "attempt": job.attempt, "word": word}
        await connection.execute(text("INSERT INTO traces VALUES (:job, :attempt, :word)"), values)


async def linger(job: Job, *, word: str, flag: str) -> None:
    """Runs until the file `flag` is gone, then leaves its trace."""
    Path(flag).with_suffix(".begun").touch()
    while Path(flag).exists():
        await asyncio.sleep(0.05)
    await note(job, word=word)


TASKS = Tasks({"note": note, "linger": linger, mail.SEND: mail.sender(TEXTS)})


def create_app(settings: Settings | None = None) -> FastAPI:
    return create_service(
        "calendar",
        title="Jobs",
        description="Nothing but tasks.",
        routers=[],
        idempotency=IdempotencyMixin,
        settings=settings,
        tasks=TASKS,
    )
