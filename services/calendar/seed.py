"""The key dates and events that are known, loaded once: `seed(database, samples)`."""

import json
from typing import Any

from sqlalchemy import select

from services.calendar import schemas, service
from services.calendar.models import Event
from services.calendar.policy import DATA
from shared.auth import Caller
from shared.database import Database

LOADER = Caller(sub="seed", name="Reference data", roles=frozenset({"secretariat"}))


def _entries() -> list[dict[str, Any]]:
    """Both files in one shape: an external id, the content, its source and what was announced before."""
    table = json.loads((DATA / "key_dates.json").read_text("utf-8"))
    rows = [
        {"external_id": f"key-date:{item['source_text']['row']}", "content": item, "source": table["source"]}
        for item in table["items"]
    ]
    events: list[dict[str, Any]] = json.loads((DATA / "events.json").read_text("utf-8"))["items"]
    return rows + events


async def seed(database: Database, samples: bool) -> str:
    """Publish every key date and event that is not there yet; there are no samples. Says what was loaded."""
    loaded = 0
    async with database.sessions.begin() as session:
        known = set((await session.scalars(select(Event.external_id).where(Event.external_id.is_not(None)))).all())
        for entry in _entries():
            if entry["external_id"] in known:
                continue
            announced = entry.get("first_announced")
            content = service.checked({**entry["content"], **_days(announced)} if announced else entry["content"])
            fields = {"external_id": entry["external_id"], "source": entry["source"]}
            event = await service.add(session, content, LOADER, **fields)
            await service.act(session, event, "publish", schemas.EventAction(), LOADER)
            if announced:
                comment = "First announced for other days"
                comment += f" ({announced['source']})." if announced["source"] else "."
                moved = schemas.EventAction(comment=comment, **_days(entry["content"]))
                await service.act(session, event, "reschedule", moved, LOADER)
            loaded += 1
    return f"{loaded} key dates and events loaded, {len(known)} were there"


def _days(content: dict[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("starts_on", "ends_on") if name in content}
