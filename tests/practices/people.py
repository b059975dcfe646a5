"""Who calls: owners, the secretariat, and the people of the roster with what they do."""

from typing import Any

import httpx

from tests.clients import Api, token
from tests.practices.content import complete

OWNER = token("lucia", entity="org-puente")
COLLEAGUE = token("mateo", entity="org-puente")
OTHER = token("rosa", entity="org-otra")
SECRETARIAT = token("sofia", roles=["secretariat"], entity="un-iom")
NOBODY = token("nobody")
OFFICIALS = ["resident_coordinator", "fund_management_unit", "steering_committee"]
OFFICIAL = token(
    "omar",
    roles=["resident_coordinator", "fund_management_unit", "steering_committee"],
    entity="un-undp",
    countries=["PER"],
)
STRANGE_REVIEWER = token("ravi", roles=["reviewer"], entity="org-x")

CRITERIA = ("implemented", "relevant", "coherent", "innovative", "replicable", "cross_cutting", "timely")


def judgement(recommendation: str = "accept", comment: str = "Well founded.") -> dict[str, Any]:
    return {
        "criteria": {code: {"judgement": "met", "comment": f"{code} is shown"} for code in CRITERIA},
        "recommendation": recommendation,
        "comment": comment,
    }


class Person:
    """Somebody of the roster with a token of their own."""

    def __init__(self, name: str, kind: str, **entry: Any) -> None:
        entity = entry.get("entity", f"org-{name}")
        self.entry = {
            "subject": f"sub-{name}",
            "name": f"Zebra {name.title()}",
            "email": f"{name}@reviewers.example",
            "kind": kind,
            "organisation": f"Quokka {name.title()}",
            "entity": entity,
            "country": "KEN",
            "languages": ["en", "es"],
            "objectives": [6, 7],
            **entry,
        }
        self.token = token(self.entry["subject"], roles=["reviewer"], entity=entity)
        self.id = ""

    async def enrol(self, api: Api) -> "Person":
        made = await api.post("/v1/practices/reviewers", by=SECRETARIAT, json=self.entry)
        assert made.status_code == 201, made.text
        self.id = made.json()["id"]
        return self

    async def sit(self, api: Api, where: str, *, conflict: bool | None = False) -> str:
        """Be assigned and, unless told otherwise, declare no conflict; the assignment's id."""
        made = await api.post(f"{where}/assignments", by=SECRETARIAT, json={"reviewer_id": self.id})
        assert made.status_code == 201, made.text
        if conflict is not None:
            assert (await self.declare(api, where, made.json()["id"], conflict)).status_code == 200
        return str(made.json()["id"])

    async def declare(self, api: Api, where: str, seat: str, conflict: bool) -> httpx.Response:
        return await api.post(f"{where}/assignments/{seat}/actions/declare", by=self.token, json={"conflict": conflict})

    async def report(self, api: Api, where: str, recommendation: str = "accept") -> httpx.Response:
        body = judgement(recommendation, f"Remarks, {recommendation}")
        return await api.post(f"{where}/reviews", by=self.token, json=body)


async def submitted(api: Api, **changes: Any) -> str:
    """A practice that was submitted: its path."""
    made = await api.post("/v1/practices", by=OWNER, json=complete(**changes))
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    await act(api, where, "submit", OWNER)
    return str(where)


async def act(api: Api, where: str, action: str, by: str, **body: Any) -> dict[str, Any]:
    """An action that must succeed: the record."""
    done = await api.post(f"{where}/actions/{action}", by=by, json=body)
    assert done.status_code == 200, done.text
    record: dict[str, Any] = done.json()
    return record


async def published(api: Api, panel: list[Person], **changes: Any) -> str:
    """A practice that its reviewers carried into the repository: its path."""
    where = await submitted(api, **changes)
    for person in panel:
        await person.sit(api, where)
    await act(api, where, "review", SECRETARIAT)
    for person in panel:
        assert (await person.report(api, where)).status_code == 201
    await act(api, where, "publish", SECRETARIAT)
    return where
