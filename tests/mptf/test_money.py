"""Money: decimals with their currency, transfers never above what was approved, unknown never taken for zero."""

import asyncio
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.mptf.completeness import budget_total, warnings
from services.mptf.policy import in_force
from services.mptf.programmes.projection import money
from shared import clock
from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, OWNER, UNIT
from tests.mptf.content import complete
from tests.mptf.steps import act, approved, draft, selected

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("9999999999999999.9999"), places=4)


async def pay(api: Api, where: str, organisation: str, amount: str, by: str = UNIT) -> Any:
    body = {"organisation": organisation, "amount": amount, "transferred_on": clock.today().isoformat()}
    return await api.post(f"{where}/transfers", by=by, json=body)


@given(st.lists(AMOUNTS, min_size=1, max_size=100))
def test_a_total_is_the_exact_sum_of_its_lines(amounts: list[Decimal]) -> None:
    lines = [{"organisation": f"O{n}", "amount": format(amount, "f")} for n, amount in enumerate(amounts)]
    total = budget_total({"budget": lines})
    assert total is not None
    assert total * 10_000 == sum(int(amount * 10_000) for amount in amounts)
    assert Decimal(money(total) or "x") == total


@given(AMOUNTS.filter(lambda each: each > 1), AMOUNTS)
def test_indirect_costs_above_the_policys_share_are_a_warning_with_the_figure(amount: Decimal, part: Decimal) -> None:
    indirect = min(amount, part)
    line = {"organisation": "IOM", "amount": format(amount, "f"), "indirect_costs": format(indirect, "f")}
    found = warnings({"budget": [line]}, in_force())
    warned = [each for each in found if each["pointer"] == "/budget/0/indirect_costs"]
    assert bool(warned) == (indirect * 100 > 7 * (amount - indirect))
    assert all(format(indirect, "f") in each["detail"] and "7.00%" in each["detail"] for each in warned)


async def test_indirect_costs_warn_and_refuse_nothing(api: Api) -> None:
    lines = [
        {"organisation": "IOM", "amount": "1100000.00", "indirect_costs": "100000.00"},
        {"organisation": "ILO", "amount": "107.00", "indirect_costs": "7.00"},
    ]
    where = await draft(api, budget=lines)
    note = (await api.get(where, by=OWNER)).json()
    (warning,) = [each for each in note["warnings"] if "indirect" in each["pointer"]]
    assert warning["pointer"] == "/budget/0/indirect_costs"
    assert "10.00%" in warning["detail"]
    assert "70000.00 USD" in warning["detail"]
    assert note["budget_total"] == "1100107.00"
    await act(api, where, "submit", KENYA)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"budget": [{"organisation": "WHO", "amount": "5"}]}, "/budget/0/organisation"),
        (
            {"budget": [{"organisation": "IOM", "amount": "5"}, {"organisation": "un-iom", "amount": "5"}]},
            "/budget/1/organisation",
        ),
        ({"budget": [{"organisation": "IOM", "amount": "0"}]}, "/budget"),
        ({"budget": [{"organisation": "IOM", "amount": "5", "indirect_costs": "6"}]}, "/budget/0/indirect_costs"),
        ({"participating_organisations": ["IOM", "UNDRR"]}, "/participating_organisations"),
        ({"convening_organisation": "WHO"}, "/convening_organisation"),
        ({"primary_objectives": [1, 2]}, "/thematic_area"),
        ({"primary_objectives": [1, 2], "thematic_area": 5}, "/thematic_area"),
    ],
)
async def test_what_does_not_fit_together_is_pointed_at(api: Api, changes: dict[str, Any], pointer: str) -> None:
    where = await draft(api, **changes)
    refused = await api.post(f"{where}/actions/submit", by=KENYA)
    assert refused.status_code == 422
    assert pointer in {error["pointer"] for error in refused.json()["errors"]}


async def test_the_thematic_area_is_taken_or_stated(api: Api) -> None:
    shared = (await api.get(await draft(api, primary_objectives=[5, 6]), by=OWNER)).json()
    assert shared["thematic_area"] == 4
    stated = (await api.get(await draft(api, primary_objectives=[1, 2], thematic_area=2), by=OWNER)).json()
    assert stated["thematic_area"] == 2
    (warning,) = [each for each in stated["warnings"] if each["pointer"].startswith("/primary_objectives")]
    assert warning == {"pointer": "/primary_objectives/0", "detail": "Objective 1 lies in thematic area 1."}


@pytest.mark.parametrize("amount", ["1e3", "-5", "1.23456", "", "NaN", 5, 5.5])
async def test_an_amount_is_a_decimal_string(api: Api, amount: Any) -> None:
    made = await api.post(
        "/v1/mptf/concept-notes", by=OWNER, json=complete(budget=[{"organisation": "IOM", "amount": amount}])
    )
    assert made.status_code == 422
    assert made.json()["errors"][0]["pointer"] == "/budget/0/amount"


# ---------------------------------------------------------------- transfers


async def test_transfers_are_recorded_once_a_budget_is_approved_by_the_unit(api: Api) -> None:
    where = await selected(api)
    assert (await pay(api, where, "IOM", "5")).status_code == 409
    await act(api, where, "develop", OWNER)
    await act(api, where, "submit_document", OWNER)
    await act(api, where, "approve", COMMITTEE)
    assert (await pay(api, where, "IOM", "5", by=OWNER)).status_code == 403
    assert (await pay(api, where, "WHO", "5")).status_code == 422
    assert (await pay(api, where, "IOM", "0")).status_code == 422
    first = await pay(api, where, "un-iom", "1000000.00")
    assert first.status_code == 201, first.text
    assert first.json()["organisation"] == "IOM"
    over = await pay(api, where, "IOM", "200000.01")
    assert over.status_code == 409
    assert "200000.00 USD are left" in over.json()["detail"]
    assert (await pay(api, where, "IOM", "200000.00")).status_code == 201
    assert (await pay(api, where, "IOM", "-50.00")).status_code == 201
    assert (await pay(api, where, "ILO", "-0.01")).status_code == 409
    public = (await api.get(where)).json()
    assert public["transferred"] == "1199950.00"
    listed = (await api.get(f"{where}/transfers?total=true")).json()
    assert listed["total"] == 3
    assert {each["currency"] for each in listed["items"]} == {"USD"}
    summary = (await api.get("/v1/mptf/summary?organisation=IOM")).json()
    assert summary["transferred"] == "1199950.00"


async def test_two_transfers_at_once_never_pass_the_approved_budget(api: Api) -> None:
    where = await approved(api)
    done = await asyncio.gather(*(pay(api, where, "ILO", "300000.00") for _ in range(4)))
    assert sorted(answer.status_code for answer in done) == [201, 201, 409, 409]
    assert (await api.get(where)).json()["transferred"] == "600000.00"


async def test_the_database_itself_holds_the_limit(api: Api, database_urls: dict[str, str]) -> None:
    where = await approved(api)
    note_id = where.rpartition("/")[2]
    insert = (
        "INSERT INTO transfers (id, record_id, organisation, amount, transferred_on, created_by, created_at) "
        "VALUES (gen_random_uuid(), %s, %s, %s, current_date, 'x', now())"
    )
    with psycopg.connect(database_urls["mptf"], autocommit=True) as connection:
        connection.execute(insert, [note_id, "ILO", "800000"])
        with pytest.raises(psycopg.errors.CheckViolation, match="never_more_than_approved"):
            connection.execute(insert, [note_id, "ILO", "0.0001"])
        with pytest.raises(psycopg.errors.CheckViolation, match="never_more_than_approved"):
            connection.execute("UPDATE transfers SET amount = 900000 WHERE record_id = %s", [note_id])
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute(insert, [note_id, "WHO", "1"])
        connection.execute("DELETE FROM transfers WHERE record_id = %s", [note_id])
        held = connection.execute("SELECT sum(transferred) FROM approved_lines WHERE record_id = %s", [note_id])
        assert held.fetchone() == (Decimal(0),)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.decimals(min_value=-400_000, max_value=900_000, places=2), min_size=1, max_size=8))
async def test_whatever_is_asked_what_was_transferred_lies_between_nothing_and_what_was_approved(
    api: Api, database_urls: dict[str, str], amounts: list[Decimal]
) -> None:
    with psycopg.connect(database_urls["mptf"]) as connection:
        connection.execute("TRUNCATE concept_notes, meetings CASCADE")
    where = await approved(api)
    held = Decimal(0)
    for amount in amounts:
        answer = await pay(api, where, "ILO", format(amount, "f"))
        fits = amount != 0 and 0 <= held + amount <= 800_000
        assert (answer.status_code == 201) == fits, answer.text
        held += amount if fits else 0
    assert Decimal((await api.get(where)).json()["transferred"]) == held


# ---------------------------------------------------------------- contributions and sums


async def give(api: Api, **changes: Any) -> Any:
    body = {"donor": "Denmark", "country": "DNK", "amount": "100.00", "currency": "DKK", "contributed_on": "2026-03"}
    return await api.post("/v1/mptf/contributions", by=UNIT, json={**body, **changes})


async def test_contributions_are_summed_by_donor_area_and_currency_and_never_across(api: Api) -> None:
    assert (await give(api, thematic_areas=[1, 4])).status_code == 201
    assert (await give(api, amount="0.50")).status_code == 201
    assert (await give(api, currency="EUR", thematic_areas=[4])).status_code == 201
    assert (await give(api, amount="0")).status_code == 422
    refused = await api.post("/v1/mptf/contributions", by=OWNER, json={})
    assert refused.status_code == 422
    summary = (await api.get("/v1/mptf/summary")).json()
    assert summary["contributions"] == [
        {"currency": "DKK", "amount": "100.50", "count": 2},
        {"currency": "EUR", "amount": "100.00", "count": 1},
    ]
    assert [(each["currency"], each["amount"]) for each in summary["contributions_by_donor"]] == [
        ("DKK", "100.50"),
        ("EUR", "100.00"),
    ]
    assert [(e["thematic_area"], e["currency"], e["amount"]) for e in summary["contributions_by_thematic_area"]] == [
        (1, "DKK", "100.00"),
        (4, "DKK", "100.00"),
        (4, "EUR", "100.00"),
    ]
    listed = (await api.get("/v1/mptf/contributions?currency=EUR&total=true")).json()
    assert listed["total"] == 1


async def test_a_contribution_is_corrected_by_the_unit_with_its_tag(api: Api) -> None:
    made = await give(api)
    where, tag = made.headers["location"], made.headers["etag"]
    assert (await api.patch(where, by=OWNER, json={"note": "x"}, headers={"if-match": tag})).status_code == 403
    assert (await api.patch(where, by=UNIT, json={"note": "x"})).status_code == 428
    alone = await api.patch(where, by=UNIT, json={"amount": None}, headers={"if-match": tag})
    assert alone.json()["errors"] == [{"pointer": "/currency", "detail": "An amount goes with its currency."}]
    fixed = await api.patch(
        where, by=UNIT, json={"amount": "5", "currency": "DKK", "thematic_areas": [2]}, headers={"if-match": tag}
    )
    assert fixed.status_code == 200, fixed.text
    assert fixed.json()["amount"] == "5.00"
    unknown = await api.patch(
        where, by=UNIT, json={"amount": None, "currency": None}, headers={"if-match": fixed.headers["etag"]}
    )
    assert unknown.json()["complete"] is False
    assert (await api.get(where)).json()["amount"] is None


async def test_the_balance_sets_what_is_proposed_beside_what_is_funded(api: Api) -> None:
    await selected(api, countries=["KEN"])
    funded = await approved(api, primary_objectives=[1], countries=["KEN"])
    await act(api, funded, "fund", UNIT)
    balance = (await api.get("/v1/mptf/balance", by=COMMITTEE)).json()
    assert balance["proposed"] == {"count": 1, "amount": "2000000.00", "unknown": 0}
    assert balance["funded"] == {"count": 1, "amount": "2000000.00", "unknown": 0}
    by_area = {each["thematic_area"]: each for each in balance["by_thematic_area"]}
    assert (by_area[4]["proposed"]["count"], by_area[4]["funded"]["count"]) == (1, 0)
    assert (by_area[1]["proposed"]["count"], by_area[1]["funded"]["count"]) == (0, 1)
    assert by_area[2]["funded"] == {"count": 0, "amount": None, "unknown": 0}
    (kenya,) = balance["by_country"]
    assert kenya["country"] == "KEN"
    summary = (await api.get("/v1/mptf/summary")).json()
    organisations = {each["organisation"]: each["amount"] for each in summary["by_organisation"]}
    assert organisations == {"ILO": "1600000.00", "IOM": "2400000.00"}
    statuses = {each["status"]: each["count"] for each in summary["by_status"]}
    assert (statuses["selected"], statuses["funded"], statuses["active"]) == (1, 1, 0)
    only = (await api.get("/v1/mptf/summary?status=funded")).json()
    assert only["total"] == 1
    assert {each["status"]: each["count"] for each in only["by_status"]}["selected"] == 1
