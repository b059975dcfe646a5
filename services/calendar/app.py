"""The calendar service as an application: `python -m shared.serve services.calendar.app`."""

from fastapi import FastAPI

from services.calendar import focal_points, reminders, routes, service
from services.calendar.models import Event, IdempotencyKey
from services.calendar.statements import routes as statements
from shared import mail, retention
from shared.application import create_service
from shared.jobs import Tasks
from shared.settings import Settings

REMIND, FORGET = "calendar.remind", "calendar.forget"
TASKS = Tasks(
    {
        mail.SEND: mail.sender(reminders.TEMPLATES),
        REMIND: reminders.remind,
        FORGET: retention.forgetting(Event, ("withdrawn", "declined"), IdempotencyKey),
    },
    every={REMIND: "0 6 * * *", FORGET: retention.NIGHTLY},
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; its settings are read from the environment unless given."""
    return create_service(
        "calendar",
        title="Calendar",
        description="Key dates, international days and events; who leads which statement.",
        routers=[routes.router, statements.router, focal_points.router],
        idempotency=IdempotencyKey,
        settings=settings,
        check=service.refuse_samples,
        tasks=TASKS,
    )
