"""What a new database starts with: practices of before this system; there are no samples."""

import json
from pathlib import Path

from services.practices import imports
from shared.database import Database

PAST = Path(__file__).with_name("data") / "practices.json"


async def seed(database: Database, samples_too: bool) -> str:
    """Load what is not there yet; says what it did."""
    async with database.sessions() as session:
        lines = await imports.load(session, json.loads(PAST.read_text("utf-8")))
        await session.commit()
    counted = {outcome: sum(line.outcome == outcome for line in lines) for outcome in ("published", "drafted")}
    lacking = sum(bool(line.gaps) for line in lines)
    return (
        f"{counted['published']} practices of before this system published and {counted['drafted']} drafted, "
        f"{lacking} of them with gaps"
    )
