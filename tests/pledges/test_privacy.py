"""Private data never leaves: the contact's values are looked for in every public answer, error and log line."""

import json
import logging
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from services.pledges.completeness import FORM
from shared import clock
from tests.clients import Api, token
from tests.pledges.conftest import KENYA, NOBODY, PERU, REVIEWER, SECRETARIAT
from tests.pledges.content import complete
from tests.pledges.journeys import WAYS, act, brought_to, edit

SECRETS = ("zawadi.private@labour.example", "Zawadi Private", "+254 20 555 9999")
CONTACT = {"name": SECRETS[1], "email": SECRETS[0], "phone": SECRETS[2]}
STRANGERS = {"public": None, "another entity": PERU, "no entity": NOBODY, "reviewer": REVIEWER}


def leaked(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def public_paths(api: Api) -> list[str]:
    document = api.app.openapi()
    return [path for path, methods in document["paths"].items() if "get" in methods]


@pytest.mark.parametrize("status", WAYS)
async def test_no_answer_to_a_stranger_holds_the_contact(
    api: Api, status: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    where = await brought_to(api, status, contact=CONTACT, title="Zebra crossing")
    pledge_id = where.rsplit("/", 1)[1]
    for who, caller in STRANGERS.items():
        for path in public_paths(api):
            filled = path.format(
                pledge_id=pledge_id, number=1, import_id=pledge_id, job_id=pledge_id, support_id=pledge_id
            )
            for query in ({}, {"q": "Zebra"}, {"q": "Zawadi"}, {"view": "all"}, {"view": "mine"}, {"format": "csv"}):
                answer = await api.get(filled, by=caller, params=query)
                assert answer.status_code < 500, (path, answer.text)
                assert not leaked(answer.text), (who, path, query)
        for action in ("submit", "publish", "withdraw"):
            answer = await act(api, where, action, caller or KENYA + "x")
            assert not leaked(answer.text)
    refused = await edit(api, where, KENYA, contact={**CONTACT, "email": SECRETS[0] + " and more"})
    assert refused.status_code in (409, 422)
    assert not leaked(refused.text)
    captured = capfd.readouterr()
    assert not leaked(caplog.text + captured.out + captured.err)


async def test_owner_and_staff_read_the_contact_and_the_history_does_not_repeat_it(api: Api) -> None:
    where = await brought_to(api, "published", contact=CONTACT)
    for caller in (KENYA, SECRETARIAT):
        assert (await api.get(where, by=caller)).json()["contact"] == CONTACT
    changed = {"name": "Baraka Otieno", "email": "baraka@labour.example", "phone": None}
    assert (await api.put(f"{where}/contact", by=PERU, json=changed)).status_code == 403
    assert (await api.put(f"{where}/contact", by=KENYA, json=changed)).status_code == 200
    record = (await api.get(where, by=KENYA)).json()
    assert record["contact"] == changed
    assert (record["version"], record["status"]) == (1, "published")
    history = (await api.get(f"{where}/history", by=KENYA)).text
    assert not leaked(history)
    assert "baraka@" not in history


async def test_publications_do_not_keep_the_contact(api: Api) -> None:
    where = await brought_to(api, "published", contact=CONTACT)
    async with api.app.state.database.reader.connect() as reader:
        rows = await reader.execute(text("SELECT content::text FROM pledge_publications"))
        assert not [row for row in rows if leaked(row[0])], where


async def test_progress_is_reported_by_the_owner_and_corrected_by_another_report(api: Api) -> None:
    where = await brought_to(api, "published")
    body: dict[str, Any] = {
        "implementation_status": "in_progress",
        "narrative": "Forty agencies are licensed.",
        "indicator_values": [{"name": "Licensed agencies", "value": "40"}],
        "reported_on": "2026-06-30",
    }
    assert (await api.post(f"{where}/progress", by=SECRETARIAT, json=body)).status_code == 403
    assert (await api.post(f"{where}/progress", by=PERU, json=body)).status_code == 403
    first = await api.post(f"{where}/progress", by=KENYA, json=body)
    assert first.status_code == 201, first.text
    assert first.json()["self_reported"] is True
    public = (await api.get(where)).json()
    assert (public["implementation_status"], public["last_reported_on"]) == ("in_progress", "2026-06-30")
    correction = {**body, "implementation_status": "fulfilled", "corrects": first.json()["id"]}
    second = await api.post(f"{where}/progress", by=KENYA, json=correction)
    assert second.status_code == 201
    public = (await api.get(where)).json()
    assert (public["implementation_status"], public["freshness"]) == ("fulfilled", None)
    reports = (await api.get(f"{where}/progress")).json()["items"]
    assert [r["corrected_by"] for r in reports] == [None, second.json()["id"]]
    twice = await api.post(f"{where}/progress", by=KENYA, json=correction)
    assert twice.status_code == 409
    assert (await api.post(f"{await brought_to(api, 'draft')}/progress", by=KENYA, json=body)).status_code == 409


async def test_freshness_ages(api: Api) -> None:
    where = await brought_to(api, "published")
    colours = []
    try:
        for days in (0, 364, 366, 729, 731):
            clock.configure(days)
            colours.append((await api.get(where)).json()["freshness"])
    finally:
        clock.configure(0)
    assert colours == ["green", "green", "yellow", "yellow", "red"]


async def test_support_is_asked_for_and_answered(api: Api) -> None:
    where = await brought_to(api, "published")
    assert (await api.post(f"{where}/support-requests", by=PERU, json={"topic": "x"})).status_code == 403
    made = await api.post(f"{where}/support-requests", by=KENYA, json={"topic": "Training of inspectors"})
    assert made.status_code == 201, made.text
    support = made.json()
    assert (support["status"], support["age_days"], support["actions"]) == ("open", 0, ["close"])
    actions = f"{where}/support-requests/{support['id']}/actions"
    assert (await api.post(f"{actions}/assign", by=KENYA)).status_code == 403
    assert (await api.post(f"{actions}/answer", by=SECRETARIAT, json={"comment": "x"})).status_code == 409
    assert (await api.post(f"{actions}/assign", by=SECRETARIAT)).json()["assignee"] == "sofia"
    assert (await api.post(f"{actions}/answer", by=SECRETARIAT)).status_code == 422
    answered = await api.post(f"{actions}/answer", by=SECRETARIAT, json={"comment": "A mission in May."})
    assert (answered.json()["status"], answered.json()["answer"]) == ("answered", "A mission in May.")
    assert (await api.post(f"{actions}/close", by=KENYA)).json()["status"] == "closed"
    for caller, status in ((None, 401), (PERU, 403)):
        assert (await api.get(f"{where}/support-requests", by=caller)).status_code == status
    listed = (await api.get("/v1/pledges/support-requests", by=SECRETARIAT, params={"status": "closed"})).json()
    assert support["id"] in [item["id"] for item in listed["items"]]
    assert (await api.get("/v1/pledges/support-requests", by=PERU)).json()["items"] == []


@pytest.mark.parametrize(
    ("accept", "language", "label"), [("fr-CA", "fr", "Titre"), ("es", "es", "Título"), ("de", "en", "Title")]
)
async def test_the_form_is_described_in_the_callers_language(api: Api, accept: str, language: str, label: str) -> None:
    answer = await api.get("/v1/pledges/form", headers={"accept-language": accept})
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    schema = answer.json()
    assert schema["properties"]["title"]["title"] == label
    assert set(schema["properties"]) == set(complete()) | {"participants", "matches", "gcm_actions", "financial"}
    objectives = schema["properties"]["objectives"]["items"]["oneOf"]
    assert len(objectives) == 23


async def test_the_form_is_what_submit_checks(api: Api) -> None:
    """A validator of JSON Schema that is not ours finds the same drafts complete as `submit` does."""
    validator = Draft202012Validator((await api.get("/v1/pledges/form")).json())
    cases = [
        complete(),
        complete(title=None),
        complete(objectives=[], principles=[]),
        complete(objectives=[], principles=[], gcm_actions=["20.b"]),
        complete(approach="common"),
        complete(approach="partnership", participants=[{"name": "Peru"}]),
        complete(approach="matching"),
        complete(forms=["financial"]),
        complete(forms=["financial"], financial={"amount": "1", "currency": "EUR"}),
        complete(forms=["financial"], financial={"amount": "1", "currency": "EUR", "recipient": "Fund"}),
        complete(indicators=[{"name": "x"}]),
        complete(indicators=[{"name": "x", "target_text": "y"}]),
        complete(contact={"name": "x"}),
        complete(entity={"name": "Kenya"}),
    ]
    for case in cases:
        made = await api.post("/v1/pledges", by=KENYA, json=case)
        assert made.status_code == 201, made.text
        draft = {name: value for name, value in case.items() if value is not None}
        submitted = await act(api, made.headers["location"], "submit", KENYA)
        assert validator.is_valid(draft) == (submitted.status_code == 200), json.dumps(case)
    assert len(FORM.gaps({})) == len(FORM.gaps({"contact": {}, "entity": {}}))


async def test_smart_and_warnings_are_for_its_own_people(api: Api) -> None:
    where = await brought_to(api, "draft", description="Short.", ends_on=None, indicators=[{"name": "People"}])
    record = (await api.get(where, by=KENYA)).json()
    assert record["smart"]["relevant"] is True
    assert [record["smart"][name] for name in ("specific", "measurable", "achievable", "time_bound")] == [False] * 4
    assert len(record["smart"]["missing"]) == 4
    detail = "6 characters; the form asks for 300 to 3,000."
    assert {"pointer": "/description", "detail": detail} in record["warnings"]
    pointers = [warning["pointer"] for warning in record["warnings"]]
    assert pointers == ["/ends_on", "/description", "/indicators/0/target"]
    public = (await api.get(await brought_to(api, "published"), by=token("x", entity="gov-fra"))).json()
    assert not {"smart", "warnings", "owner", "contact"} & set(public)
