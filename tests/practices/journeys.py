"""Ways of bringing a practice to each status."""

from typing import Any

from tests.clients import Api
from tests.practices.content import complete
from tests.practices.people import OWNER, SECRETARIAT, Person, act, published, submitted

# status -> how it is reached from the one named first.
WAYS = (
    "draft",
    "submitted",
    "submitted, assigned",
    "in_review",
    "in_review, accepted",
    "in_review, to be revised",
    "in_review, refused",
    "in_review, disagreed",
    "in_review, deadlocked",
    "returned",
    "declined",
    "withdrawn",
    "published",
    "revising",
    "submitted again",
    "submitted again, editorial",
    "in_review again, refused",
    "returned again",
    "withdrawn after publication",
)

REPORTS: dict[str, list[str]] = {
    "accepted": ["accept"] * 3,
    "to be revised": ["revise"] * 3,
    "refused": ["decline"] * 3,
    "disagreed": ["accept", "accept", "decline"],
    "deadlocked": ["accept", "accept", "decline", "decline"],
}


async def reviewed(api: Api, where: str, panel: list[Person], reports: list[str]) -> None:
    """A round of a submitted practice in which these reports come in."""
    seated = panel[: max(3, len(reports))]
    for person in seated:
        await person.sit(api, where)
    await act(api, where, "review", SECRETARIAT)
    for person, said in zip(seated, reports, strict=False):
        assert (await person.report(api, where, said)).status_code == 201


async def brought_to(api: Api, status: str, panel: list[Person], **changes: Any) -> str:
    """The path of a practice that stands so."""
    if status == "draft":
        made = await api.post("/v1/practices", by=OWNER, json=complete(**changes))
        return str(made.headers["location"])
    base, _, how = status.partition(", ")
    if base in ("submitted", "in_review", "returned", "declined"):
        where = await submitted(api, **changes)
    elif status == "withdrawn":
        where = await brought_to(api, "draft", panel, **changes)
    else:
        where = await published(api, panel[:3], **changes)
    if base in ("revising", "submitted again", "in_review again", "returned again"):
        await act(api, where, "revise", OWNER, editorial=how == "editorial")
    if base in ("submitted again", "in_review again", "returned again"):
        await act(api, where, "submit", OWNER)
    if base.startswith("in_review"):
        await reviewed(api, where, panel, REPORTS.get(how, []))
    if how == "assigned":
        for person in panel[:3]:
            await person.sit(api, where)
    final = {"returned": "return", "declined": "decline", "withdrawn": "withdraw"}.get(base.split(" ")[0])
    if final:
        await act(api, where, final, SECRETARIAT, comment="As agreed.")
    return where
