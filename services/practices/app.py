"""The practices service as an application: `python -m shared.serve services.practices.app`."""

from collections import OrderedDict

from fastapi import FastAPI

from services.practices import notices, routes, service
from services.practices.calls import routes as calls
from services.practices.models import IdempotencyKey, Practice
from services.practices.reviews import routes as reviews
from services.practices.reviews import service as review
from services.practices.roster import routes as roster
from shared import jobs, mail, retention
from shared.application import create_service
from shared.settings import Settings


async def remind_late(job: jobs.Job) -> None:
    """Every morning: remind the reviewers who are late."""
    async with job.database.sessions() as session:
        await review.remind_late(session)
        await session.commit()


FORGET = "practices.forget"
TASKS = jobs.Tasks(
    {
        mail.SEND: notices.deliver,
        "practices.remind_late": remind_late,
        FORGET: retention.forgetting(Practice, ("withdrawn", "declined"), IdempotencyKey),
    },
    every={"practices.remind_late": "0 6 * * *", FORGET: retention.NIGHTLY},
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service; its settings are read from the environment unless given."""
    app = create_service(
        "practices",
        title="Practices",
        description="The Repository of Practices: drafted by implementers, peer reviewed, found by anyone.",
        # Those with names in the path before those with ids.
        routers=[calls.router, roster.router, reviews.router, routes.router],
        idempotency=IdempotencyKey,
        settings=settings,
        check=service.refuse_samples,
        tasks=TASKS,
    )
    app.state.counted = OrderedDict()
    return app
