"""Pledges to test with."""

from typing import Any

WORDS = "Kenya will license recruitment agencies and publish their fees, so that no migrant worker pays for a job. "


def complete(**changes: Any) -> dict[str, Any]:
    """Everything that `submit` asks for, with changes."""
    return {
        "title": "Fair recruitment for migrant workers",
        "description": WORDS * 4,
        "language": "en",
        "entity": {"name": "Kenya", "type": "member_state", "country": "KEN"},
        "approach": "individual",
        "forms": ["policy"],
        "objectives": [6],
        "principles": ["human_rights"],
        "countries": ["KEN"],
        "scope": "national",
        "starts_on": "2026-01",
        "ends_on": "2028",
        "indicators": [{"name": "Licensed agencies", "unit": "agencies", "baseline": "12", "target": "200"}],
        "contact": {"name": "Amina Otieno", "email": "amina.otieno@labour.example", "phone": "+254 20 555 0100"},
        **changes,
    }
