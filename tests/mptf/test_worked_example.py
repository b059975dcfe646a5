"""The worked example in the documents, carried out: every answer is what the page says it is."""

import json
import re
from datetime import date
from typing import Any

from tests.clients import Api, token
from tests.environments import TOP
from tests.mptf.steps import travel_to

PAGE = TOP / "docs" / "concept-note.md"
PEOPLE = {
    "owner": token("olga", entity="un-rco-kenya"),
    "Resident Coordinator of Kenya": token(
        "Resident Coordinator, Kenya", roles=["resident_coordinator"], entity="un-rco-kenya", countries=["KEN"]
    ),
    "Resident Coordinator of Uganda": token(
        "Resident Coordinator, Uganda", roles=["resident_coordinator"], entity="un-rco-uganda", countries=["UGA"]
    ),
    "Fund Management Unit": token("Fund Management Unit", roles=["fund_management_unit"], entity="un-fmu"),
    "Steering Committee": token("Member of the committee", roles=["steering_committee"], entity="gov-deu"),
    "everybody": None,
}
# What each creation's Location is called further down the page.
NAMES = {"/v1/mptf/meetings": "meeting", "/v1/mptf/concept-notes": "note"}


def agrees(said: Any, answered: Any) -> bool:
    """Whether an answer is what the page says: `…` stands for anything, and at a list's end for the rest."""
    match said:
        case "…":
            return True
        case dict():
            return isinstance(answered, dict) and all(
                name in answered and agrees(value, answered[name]) for name, value in said.items()
            )
        case list():
            kept = said[:-1] if said and said[-1] == "…" else said
            whole = kept is not said or len(said) == len(answered)
            return whole and all(agrees(*pair) for pair in zip(kept, answered[: len(kept)], strict=True))
    return bool(said == answered)


async def test_every_answer_on_the_page_is_what_the_service_says(api: Api) -> None:
    blocks = re.findall(r"```http\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 30
    known: dict[str, str] = {}
    tag = ""
    for request, answer in zip(blocks[::2], blocks[1::2], strict=True):
        head, _, body = request.partition("\n\n")
        line, *fields = head.splitlines()
        method, path = line.split()
        told = dict(field.split(": ", 1) for field in fields)
        for name, place in known.items():
            path = path.replace(f"{{{name}}}", place)
        travel_to(date.fromisoformat(told["On"]))
        headers = {"if-match": tag} if "If-Match" in told else {}
        given = {"json": json.loads(body)} if body.strip() else {}
        done = await api.request(method, path, by=PEOPLE[told["As"]], headers=headers, **given)
        status, _, said = answer.partition("\n\n")
        assert status.strip() == f"HTTP {done.status_code}", (line, told, done.text)
        if said.strip():
            assert agrees(json.loads(said), done.json()), (line, told, done.text)
        if "location" in done.headers and path in NAMES:
            known[NAMES[path]] = done.headers["location"].rpartition("/")[2]
        tag = done.headers.get("etag", tag)
