"""Concept notes to test with."""

from typing import Any

from services.mptf.policy import in_force


def complete(**changes: Any) -> dict[str, Any]:
    """Everything that `submit` asks for, with changes."""
    return {
        "title": "Fair recruitment along the corridor",
        "countries": ["KEN"],
        "scope": "country",
        "route": "resident_coordinator",
        "convening_organisation": "IOM",
        "participating_organisations": ["IOM", "ILO"],
        "partners": [{"name": "Ministry of Labour", "type": "member_state"}],
        "primary_objectives": [6, 5],
        "secondary_objectives": [18],
        "sdg_targets": ["8.8", "10.7"],
        "duration_months": 24,
        "budget": [
            {"organisation": "IOM", "amount": "1200000.00", "indirect_costs": "78504.67"},
            {"organisation": "ILO", "amount": "800000.00"},
        ],
        "co_funding": [{"source": "Government of Kenya", "amount": "100000", "currency": "KES"}],
        "markers": {
            "gender": {"scheme": "UN gender equality marker", "code": "2"},
            "human_rights": {"scheme": "Human rights marker", "code": "B"},
            "child": {"scheme": "Child-sensitivity marker", "code": "1"},
        },
        "rationale": "Workers pay for jobs that should cost them nothing.",
        "results": "Agencies are licensed and their fees are public.",
        "principles": {"human_rights": "No worker pays a fee.", "gender_responsive": "Domestic work is included."},
        "government_endorsement": {"institution": "Ministry of Labour", "on": "2026-10"},
        "contact": {"name": "Amina Otieno", "email": "amina.otieno@un.example"},
        **changes,
    }


# Every criterion of the policy in force, met.
MET = {"criteria": {code: {"met": True, "comment": "Shown in the note."} for code in in_force().codes}}
