"""What a pledge must hold before it is submitted, what it had better hold, and how SMART it is."""

from pathlib import Path
from typing import Any

from services.pledges.schemas import PledgeDraft
from shared.forms import Form
from shared.problems import Fault

DESCRIPTION_AIM = 300

FORM = Form(
    PledgeDraft,
    Path(__file__).with_name("data") / "form.json",
    choices={"objectives": ("objectives", "number"), "principles": ("principles", "code")},
    elsewhere={"countries": "/v1/reference/countries", "matches": "/v1/pledges"},
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
    found = [(f"/{name}", detail) for name, detail in WANTED.items() if not content.get(name)]
    length = len(content.get("description", ""))
    if 0 < length < DESCRIPTION_AIM:
        found.append(("/description", f"{length} characters; the form asks for {DESCRIPTION_AIM} to 3,000."))
    for index, each in enumerate(content.get("indicators", [])):
        if not (each.get("target") or each.get("target_text")):
            found.append((f"/indicators/{index}/target", "A target, in a number or in words, makes it measurable."))
    return [{"pointer": where, "detail": detail} for where, detail in found]


# Not asked for, though people look for it.
WANTED = {
    "language": "The language of the text decides how it is searched.",
    "scope": "Where it takes effect.",
    "ends_on": "A pledge is time-bound: say until when.",
}


ADVICE = {
    "specific": "A title, a form and a description of 300 characters or more.",
    "measurable": "An indicator with a target.",
    "achievable": "The amount, the partners, or an indicator's baseline.",
    "relevant": "The objectives, principles or actions it advances.",
    "time_bound": "An end date, or an indicator's due date.",
}


def smart(content: dict[str, Any]) -> dict[str, Any]:
    """Which of specific, measurable, achievable, relevant and time-bound the fields show; for drafts too."""
    indicators = content.get("indicators", [])
    described = len(content.get("description", "")) >= DESCRIPTION_AIM
    shown = {
        "specific": bool(content.get("title")) and described and bool(content.get("forms")),
        "measurable": any(each.get("target") or each.get("target_text") for each in indicators),
        # Means to carry it out: money with an amount, others who take part, or a starting point to go from.
        "achievable": bool(content.get("financial", {}).get("amount"))
        or bool(content.get("participants"))
        or any(each.get("baseline") for each in indicators),
        "relevant": any(content.get(name) for name in ("objectives", "principles", "gcm_actions")),
        "time_bound": bool(content.get("ends_on")) or any(each.get("due_on") for each in indicators),
    }
    return {**shown, "missing": [ADVICE[name] for name, held in shown.items() if not held]}
