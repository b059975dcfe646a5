"""Peer review: who may judge what, what owners learn of it, rounds, replacement and reminders."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.practices.reviews import service as review
from shared import clock
from shared.database import Database
from tests.clients import Api, token
from tests.practices.content import complete
from tests.practices.journeys import reviewed
from tests.practices.people import OWNER, SECRETARIAT, STRANGE_REVIEWER, Person, act, judgement, published, submitted


async def test_nobody_reviews_their_own_entitys_practice_by_roster(api: Api) -> None:
    where = await submitted(api)
    own = await Person("olga", "external", entity="org-puente").enrol(api)
    author = await Person("lucia", "external", subject="lucia").enrol(api)
    for person in (own, author):
        refused = await api.post(f"{where}/assignments", by=SECRETARIAT, json={"reviewer_id": person.id})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/reviewer_id"


async def test_nobody_reviews_their_own_entitys_practice_by_token(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    seats = [await person.sit(api, where) for person in panel]
    await act(api, where, "review", SECRETARIAT)
    una = panel[0]
    turned = token(str(una.entry["subject"]), roles=["reviewer"], entity="org-puente")
    assert (await api.post(f"{where}/reviews", by=turned, json=judgement())).status_code == 403
    body = {"conflict": False}
    assert (await api.post(f"{where}/assignments/{seats[0]}/actions/declare", by=turned, json=body)).status_code == 403
    # The subject alone is not enough: the role is the reviewer's.
    bare = token(str(una.entry["subject"]), entity="org-una")
    assert (await api.post(f"{where}/reviews", by=bare, json=judgement())).status_code == 404


async def test_nobody_reviews_a_language_they_do_not_read(api: Api) -> None:
    where = await submitted(api, language="fr")
    person = await Person("ines", "external", languages=["es", "en-GB"]).enrol(api)
    refused = await api.post(f"{where}/assignments", by=SECRETARIAT, json={"reviewer_id": person.id})
    assert refused.status_code == 422
    english = await submitted(api)
    made = await api.post(f"{english}/assignments", by=SECRETARIAT, json={"reviewer_id": person.id})
    assert made.status_code == 201


async def test_a_conflict_is_declared_before_a_review_and_takes_the_seat_away(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    una, eva, ezra = panel
    await una.sit(api, where)
    await eva.sit(api, where)
    undeclared = await ezra.sit(api, where, conflict=None)
    await act(api, where, "review", SECRETARIAT)
    early = await ezra.report(api, where)
    assert (early.status_code, early.json()["detail"][:5]) == (409, "First")
    assert (await eva.declare(api, where, undeclared, False)).status_code == 404
    declared = await ezra.declare(api, where, undeclared, True)
    assert (declared.status_code, declared.json()["status"]) == (200, "conflicted")
    assert (await ezra.report(api, where)).status_code == 403
    assert (await ezra.declare(api, where, undeclared, False)).status_code == 409
    assert (await api.get(where, by=ezra.token)).status_code == 404
    for person in (una, eva):
        assert (await person.report(api, where)).status_code == 201
    assert (await api.post(f"{where}/actions/publish", by=SECRETARIAT)).status_code == 409


async def test_a_conflict_that_comes_up_after_the_review_takes_its_weight(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    seats = [await person.sit(api, where) for person in panel]
    await act(api, where, "review", SECRETARIAT)
    for person in panel:
        await person.report(api, where)
    assert (await api.get(where, by=SECRETARIAT)).json()["review"]["state"] == "carried"
    await panel[2].declare(api, where, seats[2], True)
    assert (await api.get(where, by=SECRETARIAT)).json()["review"]["state"] == "waiting"
    assert (await api.post(f"{where}/actions/publish", by=SECRETARIAT)).status_code == 409


async def test_disagreement_asks_for_a_further_reviewer_whose_majority_carries(
    api: Api, panel: list[Person], further: list[Person]
) -> None:
    where = await submitted(api)
    await reviewed(api, where, panel, ["accept", "decline", "accept"])
    state = (await api.get(where, by=SECRETARIAT)).json()["review"]
    assert state["state"] == "disagreed"
    assert "further" in state["lacks"]
    await further[0].sit(api, where)
    await further[0].report(api, where, "accept")
    assert (await act(api, where, "publish", SECRETARIAT))["peer_reviewed"] is True


async def test_a_resubmission_keeps_its_reviewers_and_what_they_declared(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    await reviewed(api, where, panel, ["revise"] * 3)
    await act(api, where, "return", SECRETARIAT, comment="See the remarks.")
    assert (await api.get(where, by=panel[0].token)).status_code == 404
    await act(api, where, "submit", OWNER)
    seats = (await api.get(f"{where}/assignments", by=SECRETARIAT)).json()["items"]
    assert [seat["round"] for seat in seats] == [2, 2, 2, 1, 1, 1]
    assert {seat["status"] for seat in seats[:3]} == {"declared"}
    await act(api, where, "review", SECRETARIAT)
    for person in panel:
        assert (await person.report(api, where)).status_code == 201
    await act(api, where, "publish", SECRETARIAT)
    # A revision after a publication is a new matter: its reviewers are chosen anew.
    await act(api, where, "revise", OWNER)
    await act(api, where, "submit", OWNER)
    seats = (await api.get(f"{where}/assignments", by=SECRETARIAT)).json()["items"]
    assert max(seat["round"] for seat in seats) == 2
    rounds = [each["round"] for each in (await api.get(f"{where}/reviews", by=OWNER)).json()["items"]]
    assert rounds == [2, 2, 2, 1, 1, 1]


async def test_an_editorial_revision_keeps_what_was_reviewed_and_skips_the_review(
    api: Api, panel: list[Person]
) -> None:
    where = await published(api, panel, translations={"es": {"title": "Asesoría", "summary": "Resumen"}})
    assert (await api.get(where)).json()["translations"]["es"]["reviewed"] is True
    await act(api, where, "revise", OWNER)
    tag = (await api.get(where, by=OWNER)).headers["etag"]
    changes = {"editorial": True, "lessons": "Evenings matter most."}
    edited = await api.patch(where, by=OWNER, json=changes, headers={"if-match": tag})
    assert edited.json()["editorial"] is True
    assert edited.json()["peer_reviewed"] is False
    await act(api, where, "submit", OWNER)
    await act(api, where, "publish", SECRETARIAT, comment="Words only.")
    public = (await api.get(where)).json()
    assert (public["version"], public["lessons"], public["peer_reviewed"]) == (2, "Evenings matter most.", True)
    assert public["translations"]["es"]["reviewed"] is True


async def test_an_unmarked_first_submission_is_never_published_without_review(api: Api) -> None:
    where = await submitted(api, editorial=True)
    refused = await api.post(f"{where}/actions/publish", by=SECRETARIAT, json={"comment": "Quick"})
    assert refused.status_code == 409


async def test_my_reviews_say_what_waits_since_when_and_whether_it_is_late(api: Api) -> None:
    person = await Person("mina", "external").enrol(api)
    others = [await Person(f"mina-{n}", kind).enrol(api) for n, kind in enumerate(("internal", "external"))]
    where = await submitted(api)
    seat = await person.sit(api, where, conflict=None)

    async def waiting() -> list[dict[str, Any]]:
        found = await api.get("/v1/practices/reviews/mine", by=person.token)
        assert found.status_code == 200
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    first = (await waiting())[0]
    assert (first["assignment_id"], first["waits_for"], first["late"]) == (seat, "declaration", False)
    await person.declare(api, where, seat, False)
    assert (await waiting())[0]["waits_for"] == "start"
    for other in others:
        await other.sit(api, where)
    await act(api, where, "review", SECRETARIAT)
    third = (await waiting())[0]
    assert third["waits_for"] == "review"
    assert third["since"] > first["since"]
    clock.configure(22)
    try:
        assert (await waiting())[0]["late"] is True
    finally:
        clock.configure(0)
    await person.report(api, where)
    assert await waiting() == []
    assert (await api.get("/v1/practices/reviews/mine", by=STRANGE_REVIEWER)).json()["items"] == []
    assert (await api.get("/v1/practices/reviews/mine", by=OWNER)).status_code == 403
    assert (await api.get("/v1/practices/reviews/mine")).status_code == 401


async def test_a_silent_reviewer_is_reminded_once_a_week_and_replaced(api: Api, database_urls: dict[str, str]) -> None:
    silent = await Person("silas", "external").enrol(api)
    successor = await Person("sara", "external").enrol(api)
    where = await submitted(api)
    seat = await silent.sit(api, where, conflict=None)
    own = Database(database_urls["practices"], 1)

    async def reminded() -> str | None:
        async with own.sessions() as session:
            await review.remind_late(session)
            await session.commit()
        seats = (await api.get(f"{where}/assignments", by=SECRETARIAT)).json()["items"]
        found: str | None = next(each["reminded_at"] for each in seats if each["id"] == seat)
        return found

    try:
        assert await reminded() is None
        clock.configure(9)
        first = await reminded()
        assert first is not None
        assert await reminded() == first
        clock.configure(17)
        assert await reminded() != first
    finally:
        clock.configure(0)
        await own.close()
    replaced = await api.post(
        f"{where}/assignments/{seat}/actions/replace", by=SECRETARIAT, json={"reviewer_id": successor.id}
    )
    assert replaced.status_code == 200
    assert replaced.json()["reviewer"]["name"] == successor.entry["name"]
    assert (await api.get(where, by=silent.token)).status_code == 404
    assert (await silent.declare(api, where, seat, False)).status_code == 404
    again = await api.post(
        f"{where}/assignments/{seat}/actions/replace", by=SECRETARIAT, json={"reviewer_id": successor.id}
    )
    assert again.status_code == 409


async def test_candidates_are_proposed_with_reasons_and_without_conflicts(api: Api) -> None:
    where = await submitted(api, primary_objectives=[23], secondary_objectives=[22], language="fr")
    knows = {"languages": ["fr"], "objectives": [22, 23], "country": "NZL"}
    expert = await Person("carla", "external", **knows).enrol(api)
    layman = await Person("colin", "internal", **{**knows, "objectives": []}).enrol(api)
    absent = [
        await Person("cora", "external", **{**knows, "languages": ["es"]}).enrol(api),
        await Person("chloe", "external", **{**knows, "entity": "org-puente"}).enrol(api),
        await Person("cyril", "external", **knows, active=False).enrol(api),
        await Person("cesar", "external", **{**knows, "organisation": "PUENTE"}).enrol(api),
    ]
    busy = await Person("chad", "external", **knows).enrol(api)
    for _ in range(3):
        await busy.sit(api, await submitted(api, language="fr"), conflict=None)
    found = await api.get(f"{where}/candidates", by=SECRETARIAT, params={"limit": 100})
    names = [each["reviewer"]["id"] for each in found.json()["items"]]
    assert names.index(expert.id) < min(names.index(busy.id), names.index(layman.id))
    assert not {person.id for person in absent} & set(names)
    reasons = {each["criterion"]: each["detail"] for each in found.json()["items"][names.index(expert.id)]["reasons"]}
    assert set(reasons) == {"language", "objectives", "load", "region", "conflict"}
    assert reasons["objectives"] == "Knows objective(s) 22, 23."
    assert reasons["region"] == "Brings region 009 to the panel."
    assert found.json()["items"][names.index(busy.id)]["load"] == 3
    await expert.sit(api, where, conflict=True)
    after = (await api.get(f"{where}/candidates", by=SECRETARIAT, params={"limit": 100})).json()["items"]
    assert expert.id not in {each["reviewer"]["id"] for each in after}
    assert (await api.get(f"{where}/candidates", by=OWNER)).status_code == 403


async def test_the_roster_is_kept_by_the_secretariat_alone(api: Api) -> None:
    person = await Person("rita", "external").enrol(api)
    at = f"/v1/practices/reviewers/{person.id}"
    twice = await api.post("/v1/practices/reviewers", by=SECRETARIAT, json=person.entry)
    assert twice.status_code == 409
    read = await api.get(at, by=SECRETARIAT)
    assert (await api.patch(at, by=SECRETARIAT, json={"active": False})).status_code == 428
    changed = await api.patch(
        at, by=SECRETARIAT, json={"active": False, "country": None}, headers={"if-match": read.headers["etag"]}
    )
    assert (changed.json()["active"], changed.json()["country"]) == (False, None)
    where = await submitted(api)
    refused = await api.post(f"{where}/assignments", by=SECRETARIAT, json={"reviewer_id": person.id})
    assert refused.status_code == 422
    for caller in (OWNER, person.token):
        assert (await api.get("/v1/practices/reviewers", by=caller)).status_code == 403
        assert (await api.get(at, by=caller)).status_code == 403
    assert (await api.get("/v1/practices/reviewers")).status_code == 401
    listed = await api.get("/v1/practices/reviewers", by=SECRETARIAT, params={"active": "false", "limit": 100})
    assert person.id in {each["id"] for each in listed.json()["items"]}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(("accept", "revise", "decline")), max_size=5))
async def test_random_rounds_never_end_against_the_rule(
    api: Api, panel: list[Person], further: list[Person], chance: random.Random, said: list[str]
) -> None:
    """Random seats, conflicts and reports through the API; whatever is tried, the outcome is one the rule allows."""
    people = [*panel, *further]
    chance.shuffle(people)
    made = await api.post("/v1/practices", by=OWNER, json=complete())
    where = made.headers["location"]
    await act(api, where, "submit", OWNER)
    seats = {}
    for person in people[: chance.randint(0, 5)]:
        seats[person] = await person.sit(api, where, conflict=chance.choice((None, False, False, False, True)))
    await api.post(f"{where}/actions/review", by=SECRETARIAT)
    counted: list[tuple[str, str]] = []
    for person, recommendation in zip(people, said, strict=False):
        if (await person.report(api, where, recommendation)).status_code == 201:
            counted.append((str(person.entry["kind"]), recommendation))
    body = {"comment": "The rationale."}
    action = chance.choice(("publish", "decline"))
    done = await api.post(f"{where}/actions/{action}", by=SECRETARIAT, json=body)
    opinions = [opinion for _, opinion in counted]
    kinds = [kind for kind, _ in counted]
    quorum = kinds.count("internal") >= 1 and kinds.count("external") >= 2
    wanted = {"publish": "accept", "decline": "decline"}[action]
    unanimous = quorum and set(opinions) == {wanted}
    majority = quorum and len(opinions) >= 4 and opinions.count(wanted) * 2 > len(opinions)
    tied = quorum and len(opinions) >= 4 and all(opinions.count(o) * 2 <= len(opinions) for o in set(opinions))
    status = (await api.get(where, by=SECRETARIAT)).json()["status"]
    # A submission that never came to review may be declined without one.
    without_review = action == "decline" and status != "in_review" and not counted and done.status_code == 200
    assert (done.status_code == 200) == (unanimous or majority or tied or without_review), (counted, action, done.text)
    assert (await api.get(where)).status_code == (200 if done.status_code == 200 and action == "publish" else 404)


@pytest.mark.parametrize("change", [{"criteria": {}}, {"recommendation": "maybe"}, {"extra": 1}])
async def test_a_review_judges_all_seven_criteria(api: Api, panel: list[Person], change: dict[str, Any]) -> None:
    where = await submitted(api)
    await reviewed(api, where, panel, [])
    refused = await api.post(f"{where}/reviews", by=panel[0].token, json={**judgement(), **change})
    assert refused.status_code == 422
    if "criteria" in change:
        assert len(refused.json()["errors"]) == 7


async def test_what_is_done_twice_at_once_is_done_once(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    body = {"reviewer_id": panel[0].id}
    seats = await asyncio.gather(
        *(api.post(f"{where}/assignments", by=SECRETARIAT, json=body) for _ in range(4)),
    )
    assert sorted(each.status_code for each in seats) == [201, 409, 409, 409]
    seat = next(each.json()["id"] for each in seats if each.status_code == 201)
    await panel[0].declare(api, where, seat, False)
    for person in panel[1:]:
        await person.sit(api, where)
    await act(api, where, "review", SECRETARIAT)
    for person in panel:
        reports = await asyncio.gather(*(person.report(api, where) for _ in range(3)))
        assert sorted(each.status_code for each in reports) == [201, 409, 409]
    published_ = await asyncio.gather(*(api.post(f"{where}/actions/publish", by=SECRETARIAT) for _ in range(3)))
    assert sorted(each.status_code for each in published_) == [200, 409, 409]
    assert (await api.get(where)).json()["version"] == 1


async def test_an_assignment_sent_twice_with_one_key_is_made_once(api: Api, panel: list[Person]) -> None:
    where = await submitted(api)
    sent = {"by": SECRETARIAT, "json": {"reviewer_id": panel[0].id}, "headers": {"idempotency-key": "seat-1"}}
    first, again = [await api.post(f"{where}/assignments", **sent) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
