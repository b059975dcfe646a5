"""Practices of before this system come in through the import, with their gaps reported and nothing claimed."""

import json
from collections.abc import Callable
from typing import Any

from services.practices import imports
from services.practices.app import create_app
from services.practices.seed import PAST, seed
from shared.database import Database
from tests.clients import Api, running
from tests.practices.people import OTHER, SECRETARIAT
from tools import database, migrate


async def test_the_seed_publishes_the_hubs_own_and_drafts_the_rest(
    new_database: Callable[[], str], jwks_url: str
) -> None:
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"practices": urls["practices"]})
    entries = json.loads(PAST.read_text("utf-8"))
    own = Database(urls["practices"], 2)
    try:
        first, again = await seed(own, True), await seed(own, True)
        async with own.sessions() as session:
            known = await imports.load(session, entries)
            refused = await imports.load(session, [{**entries[0], "external_id": "x", "content": {"title": 3}}])
    finally:
        await own.close()
    public = [entry for entry in entries if entry["publish"]]
    assert f"{len(public)} practices of before this system published" in first
    assert "0 practices" in again
    assert {line.outcome for line in known} == {"known"}
    assert [(line.outcome, line.faults[0].pointer) for line in refused] == [("refused", "/content/title")]
    async with running(create_app, urls["practices"], jwks_url, run_worker=False) as api:
        await _as_the_public_reads_them(api, public)
        drafts = (await api.get("/v1/practices", by=SECRETARIAT, params={"view": "all", "limit": 100})).json()["items"]
        hidden = [item for item in drafts if item["source"] and item["status"] == "draft"]
        assert len(hidden) == len(entries) - len(public)
        assert (await api.get(f"/v1/practices/{hidden[0]['id']}")).status_code == 404
        assert (await api.get(f"/v1/practices/{hidden[0]['id']}", by=OTHER)).status_code == 404


async def _as_the_public_reads_them(api: Api, entries: list[dict[str, Any]]) -> None:
    items = (await api.get("/v1/practices", params={"limit": 100})).json()["items"]
    real = {item["source"]["url"] + item["title"]: item for item in items if not item["sample"]}
    assert len(real) == len(entries)
    for entry in entries:
        item = real[entry["source"]["url"] + entry["content"]["title"]]
        assert item["source"] == entry["source"]
        assert item["peer_reviewed"] is None
        assert item["complete"] is False
        assert item["scope"] is None
    spanish = next(item for item in items if item["title"].startswith("Portal"))
    english = await api.get(f"/v1/practices/{spanish['id']}", headers={"accept-language": "en-GB, es;q=0.5"})
    assert english.headers["content-language"] == "en, es"
    assert english.json()["title"] == "Portal de Información sobre Migración"
    assert english.json()["summary"].startswith("Online platform")
    assert spanish["summary"] is None
