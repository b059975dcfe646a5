"""The Migration MPTF as an application: `python -m shared.serve services.mptf.app`."""

from fastapi import FastAPI

from services.mptf import erasure, notices, routes, service
from services.mptf.meetings import routes as meetings
from services.mptf.models import IdempotencyKey
from services.mptf.money import routes as money
from services.mptf.programmes import routes as programmes
from shared import jobs, mail
from shared.application import create_service
from shared.settings import Settings

TASKS = jobs.Tasks(
    {mail.SEND: notices.deliver, "mptf.remind": notices.remind, "mptf.erase_contacts": erasure.erase_contacts},
    every={"mptf.remind": "0 6 * * *", "mptf.erase_contacts": "23 3 * * *"},
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; its settings are read from the environment unless given."""
    return create_service(
        "mptf",
        title="Migration MPTF",
        description="The Migration Multi-Partner Trust Fund: concept notes, the Steering Committee's meetings, joint "
        "programmes and their money.",
        # Fixed paths stand before those that take an id.
        routers=[programmes.router, routes.router, meetings.router, money.router],
        idempotency=IdempotencyKey,
        settings=settings,
        check=service.refuse_samples,
        tasks=TASKS,
    )
