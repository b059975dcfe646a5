"""Real records keep their gaps; demonstration records cannot be taken for real ones."""

from services.pledges.seed import seed
from tests.clients import Api


async def test_real_and_demonstration_pledges_are_loaded_once(api: Api) -> None:
    database = api.app.state.database
    assert await seed(database, True) == "6 pledges of before this system, 224 demonstration pledges"
    assert await seed(database, True) == "0 pledges of before this system, 0 demonstration pledges"

    cursor, records = None, []
    while True:
        page = (await api.get("/v1/pledges", params={"limit": 100, **({"cursor": cursor} if cursor else {})})).json()
        records += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    real = [r for r in records if r["source"]]
    samples = [r for r in records if r["sample"]]
    assert len(real) == 6
    assert len(samples) == 224
    assert all(not r["complete"] and r["description"] is None for r in real)
    assert all(r["title"].startswith("[Sample]") for r in samples)
    assert all(r["entity"]["name"].startswith("Sample organisation") for r in samples)
    germany = next(r for r in real if r["entity"]["country"] == "DEU")
    assert germany["financial"] == {"amount": "200000", "currency": "EUR", "recipient": "Mayors Mechanism"}
    assert germany["approach"] is None
    summary = (await api.get("/v1/pledges/summary")).json()
    assert summary["total"] == len(records)
    assert summary["by_month"][-1]["cumulative"] == len(records)
