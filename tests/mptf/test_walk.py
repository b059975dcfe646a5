"""A note from draft to funded, as each of those around it sees it."""

from datetime import timedelta

from shared import clock
from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, OWNER, PARTNER, UNIT
from tests.mptf.content import MET, complete
from tests.mptf.steps import NOTES, act, plan, travel_to


async def test_a_note_is_drafted_submitted_screened_selected_and_funded(api: Api) -> None:
    made = await api.post(NOTES, by=OWNER, json={"title": "Fair recruitment", "countries": ["KEN"]})
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    assert (await api.get(where)).status_code == 404
    early = await api.post(f"{where}/actions/submit", by=KENYA)
    assert early.status_code == 422
    pointers = {error["pointer"] for error in early.json()["errors"]}
    assert {"/participating_organisations", "/markers/child", "/contact/email"} <= pointers
    edited = await api.patch(where, by=KENYA, json=complete(), headers={"if-match": made.headers["etag"]})
    assert edited.status_code == 200, edited.text
    assert edited.json()["budget_total"] == "2000000.00"
    assert edited.json()["thematic_area"] == 4
    assert (await api.get(where, by=PARTNER)).status_code == 200
    assert (await api.get(where, by=UNIT)).status_code == 404

    day = clock.today() + timedelta(days=42)
    meeting = await plan(api, day)
    assert meeting["submission_deadline"] == clock.today().isoformat()
    submitted = await act(api, where, "submit", KENYA)
    assert submitted["meeting"] == {"id": meeting["id"], "date": day.isoformat()}
    await act(api, where, "screen", UNIT)
    assert (await api.get(where, by=COMMITTEE)).status_code == 404
    assert (await api.put(f"{where}/assessment", by=UNIT, json=MET)).status_code == 200
    await act(api, where, "find_eligible", UNIT)
    early = await api.post(f"{where}/actions/select", by=COMMITTEE, json={"comment": "x"})
    assert early.status_code == 409
    travel_to(day)
    selected = await act(api, where, "select", COMMITTEE, comment="It fills a gap.")
    assert selected["status"] == "selected"
    public = await api.get(where)
    assert public.status_code == 200, public.text
    assert "contact" not in public.json()
    held = await api.post(f"/v1/mptf/meetings/{meeting['id']}/actions/hold", by=UNIT)
    assert held.status_code == 200, held.text
    for action, by in (
        ("develop", OWNER),
        ("submit_document", OWNER),
        ("approve", COMMITTEE),
        ("fund", UNIT),
        ("start", UNIT),
        ("close_operationally", UNIT),
        ("close_financially", UNIT),
    ):
        await act(api, where, action, by)
    programme = (await api.get(where.replace("concept-notes", "programmes"))).json()
    assert [each["status"] for each in programme["status_history"]][-1] == "financially_closed"
    assert programme["version"] == 2
    summary = (await api.get("/v1/mptf/summary")).json()
    assert summary["total"] >= 1
    assert (await api.get("/v1/mptf/balance", by=COMMITTEE)).status_code == 200
    assert (await api.get("/v1/mptf/policy")).json()["lead_days"] == 42
