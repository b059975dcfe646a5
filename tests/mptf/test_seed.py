"""The real joint programmes and donors, as they are loaded and answered."""

import pytest
from sqlalchemy import text

from services.mptf.app import create_app
from services.mptf.seed import seed
from services.mptf.service import refuse_samples
from shared.database import Database
from tests.clients import Api, running
from tests.mptf.conftest import KENYA
from tests.mptf.steps import NOTES


@pytest.fixture
async def loaded(database_urls: dict[str, str]) -> str:
    database = Database(database_urls["mptf"], pool_size=2)
    first = await seed(database, samples_too=False)
    again = await seed(database, samples_too=False)
    await database.close()
    assert first == "11 joint programmes and 8 contributions of before this system"
    assert again == "0 joint programmes and 0 contributions of before this system"
    return first


async def test_what_is_not_known_is_null_and_never_zero(
    loaded: str, database_urls: dict[str, str], jwks_url: str
) -> None:
    async with running(create_app, database_urls["mptf"], jwks_url, run_worker=False) as api:
        items = (await api.get("/v1/mptf/programmes?limit=100")).json()["items"]
        past = {item["title"] or item["label"]: item for item in items if item["source"]}
        assert len(past) == 11
        assert all(item["complete"] is False for item in past.values())
        macedonia = next(item for name, item in past.items() if name.endswith("in North Macedonia"))
        assert macedonia["budget_total"] is None
        assert macedonia["budget"] == []
        assert macedonia["participating_organisations"] == []
        assert macedonia["duration_months"] is None
        assert macedonia["thematic_area"] is None
        moldova = next(item for name, item in past.items() if "Moldova" in name)
        assert moldova["budget_total"] == "2000000.00"
        assert moldova["transferred"] is None
        untitled = [item for item in past.values() if item["title"] is None]
        assert len(untitled) == 2
        summary = (await api.get("/v1/mptf/summary?status=operationally_closed&country=PHL")).json()
        assert summary["budget"] == {"count": 1, "amount": None, "unknown": 1}
        whole = (await api.get("/v1/mptf/summary")).json()
        norway = next(each for each in whole["contributions_by_donor"] if each["country"] == "NOR")
        assert norway["amount"] == "15000000.00"
        assert norway["currency"] == "NOK"
        denmark = next(each for each in whole["contributions_by_donor"] if each["country"] == "DNK")
        assert denmark["amount"] is None
        assert denmark["unknown"] == 1
        note = (await api.get(f"{NOTES}/{moldova['id']}")).json()
        assert note["title"] == moldova["title"]


async def test_a_demonstration_note_is_refused_outside_development(api: Api, database_urls: dict[str, str]) -> None:
    database = Database(database_urls["mptf"], pool_size=2)
    await seed(database, samples_too=True)
    await refuse_samples(database)
    made = await api.post(NOTES, by=KENYA, json={"title": "[Sample] A note", "countries": ["KEN"]})
    assert made.status_code == 201, made.text
    marking = text("UPDATE concept_notes SET sample = :sample WHERE reference = :reference")
    async with database.engine.begin() as connection:
        await connection.execute(marking, {"sample": True, "reference": made.json()["reference"]})
    with pytest.raises(RuntimeError, match="demonstration record"):
        await refuse_samples(database)
    async with database.engine.begin() as connection:
        await connection.execute(marking, {"sample": False, "reference": made.json()["reference"]})
    await database.close()
