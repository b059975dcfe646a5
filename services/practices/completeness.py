"""What a practice must hold before it is submitted, by the form's own schema, and what it had better hold."""

from pathlib import Path
from typing import Any

from services.practices.schemas import TEXTS, PracticeDraft
from shared.forms import Form
from shared.problems import Fault

FORM = Form(
    PracticeDraft,
    Path(__file__).with_name("data") / "form.json",
    choices={
        "primary_objectives": ("objectives", "number"),
        "secondary_objectives": ("objectives", "number"),
        "principles": ("principles", "code"),
        "sdgs": ("sdgs", "number"),
    },
    elsewhere={"countries": "/v1/reference/countries", "call": "/v1/practices/calls?open=true"},
)
# The Compact was adopted in December 2018; older practices are welcome, newer ones wanted.
COMPACT = "2018-12"
WANTED = (
    "scope",
    "starts_on",
    "contact",
    "benefits",
    "lessons",
    "recommendations",
    "innovation",
    "principles",
    "practice_type",
)


def gaps(content: dict[str, Any]) -> list[Fault]:
    """One fault for each thing that `submit` still misses: what the form asks, and dates in their order."""
    found = FORM.gaps(content)
    starts, ends = content.get("starts_on"), content.get("ends_on")
    if starts and ends and latest(ends) < starts:
        found.append(Fault(pointer="/ends_on", detail="It ends before it starts."))
    return found


def latest(day: str) -> str:
    """The end of a date known in part, comparable as text."""
    return day + "-12-31"[: 10 - len(day)] if len(day) == 4 else day + "-31"[: 10 - len(day)]


def warnings(content: dict[str, Any]) -> list[dict[str, str]]:
    """Guidance, never a refusal."""
    found = [
        {"pointer": f"/{name}", "detail": "Readers ask for this, though it is not needed."}
        for name in WANTED
        if not content.get(name)
    ]
    ends = content.get("ends_on")
    if ends and latest(ends) < COMPACT:
        found.append({"pointer": "/ends_on", "detail": "Practices from after the Compact's adoption are preferred."})
    both = set(content.get("primary_objectives", [])) & set(content.get("secondary_objectives", []))
    if both:
        found.append({"pointer": "/secondary_objectives", "detail": f"Primary ones stand here too: {sorted(both)}."})
    for language, translation in content.get("translations", {}).items():
        left = [name for name in TEXTS if content.get(name) and not translation.get(name)]
        if left:
            detail = f"Not translated, so shown in the original: {', '.join(left)}."
            found.append({"pointer": f"/translations/{language}", "detail": detail})
    return found
