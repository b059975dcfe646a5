"""Practices to test with."""

from typing import Any


def complete(**changes: Any) -> dict[str, Any]:
    """Everything that `submit` asks for, with changes."""
    return {
        "title": "Legal counsel for domestic workers",
        "language": "en",
        "summary": "Free counsel, in the evening and by telephone, for migrant domestic workers.",
        "description": "Lawyers answer **questions on contracts**, wages and residence.\n\n- by telephone\n- in person",
        "organisations": [{"name": "Puente", "type": "civil_society"}],
        "partners": [{"name": "City of Lima", "type": "local_government"}],
        "countries": ["PER"],
        "scope": "national",
        "primary_objectives": [6],
        "secondary_objectives": [7, 15],
        "principles": ["people_centred", "human_rights"],
        "sdgs": [8, 10],
        "practice_type": "Service",
        "starts_on": "2021",
        "ongoing": True,
        "benefits": "Four hundred cases a year.",
        "lessons": "Evenings matter.",
        "recommendations": "Begin with the telephone.",
        "innovation": "Counsel by voice message.",
        "resources": [{"title": "Report", "url": "https://example.org/report"}],
        "contact": {"name": "Lucía Quispe", "email": "lucia.quispe@puente.example", "phone": "+51 1 555 0100"},
        **changes,
    }
