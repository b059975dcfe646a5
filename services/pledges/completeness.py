"""What a pledge must hold before it is submitted, what it had better hold, and how SMART it is."""

from typing import Any

from shared.problems import Fault

DESCRIPTION_AIM = 300

# Pointer, what is asked, and whether the content holds it. The initiative's form asks for each.
ALWAYS: tuple[tuple[str, str], ...] = (
    ("title", "A title."),
    ("description", "A description of what is pledged."),
    ("language", "The language of the text."),
    ("approach", "How it is pledged: individual, common, partnership or matching."),
    ("forms", "At least one form."),
    ("scope", "Its scope."),
)


def gaps(content: dict[str, Any]) -> list[Fault]:
    """One fault for each thing that `submit` still misses."""
    entity = content.get("entity", {})
    financial = content.get("financial", {})
    contact = content.get("contact", {})
    approach = content.get("approach")
    asked = [(f"/{name}", detail, bool(content.get(name))) for name, detail in ALWAYS]
    asked += [
        ("/entity/name", "Who pledges.", bool(entity.get("name"))),
        ("/entity/type", "What kind of entity pledges.", bool(entity.get("type"))),
        (
            "/objectives",
            "At least one objective, guiding principle or action of the Compact.",
            any(content.get(name) for name in ("objectives", "principles", "gcm_actions")),
        ),
        ("/indicators", "At least one indicator: a pledge is measurable.", bool(content.get("indicators"))),
        ("/contact/name", "The contact person's name.", bool(contact.get("name"))),
        ("/contact/email", "The contact person's e-mail address.", bool(contact.get("email"))),
    ]
    if approach in ("common", "partnership"):
        asked.append(("/participants", "The other parties of a joint pledge.", bool(content.get("participants"))))
    if approach == "matching":
        asked.append(("/matches", "Id or reference of the pledge that is matched.", bool(content.get("matches"))))
    if "financial" in content.get("forms", []):
        asked += [
            (f"/financial/{name}", f"The {name} of a financial pledge.", bool(financial.get(name)))
            for name in ("amount", "currency", "recipient")
        ]
    found = [Fault(pointer=pointer, detail=detail) for pointer, detail, held in asked if not held]
    for index, indicator in enumerate(content.get("indicators", [])):
        if not (indicator.get("target") or indicator.get("target_text")):
            found.append(Fault(pointer=f"/indicators/{index}/target", detail="A target, in a number or in words."))
    starts, ends = content.get("starts_on"), content.get("ends_on")
    if starts and ends and _latest(ends) < starts:
        found.append(Fault(pointer="/ends_on", detail="It ends before it starts."))
    return found


def _latest(day: str) -> str:
    """The end of a date known in part, comparable as text."""
    return day + "-12-31"[: 10 - len(day)] if len(day) == 4 else day + "-31"[: 10 - len(day)]


def warnings(content: dict[str, Any]) -> list[dict[str, str]]:
    """Guidance, never a refusal."""
    found = []
    length = len(content.get("description", ""))
    if 0 < length < DESCRIPTION_AIM:
        found.append(
            {
                "pointer": "/description",
                "detail": f"{length} characters; the form asks for {DESCRIPTION_AIM} to 3,000.",
            }
        )
    return found


def smart(content: dict[str, Any]) -> dict[str, Any]:
    """Which of specific, measurable, achievable, relevant and time-bound the fields show; for drafts too."""
    indicators = content.get("indicators", [])
    shown = {
        "specific": bool(content.get("title"))
        and len(content.get("description", "")) >= DESCRIPTION_AIM
        and bool(content.get("forms")),
        "measurable": any(i.get("target") or i.get("target_text") for i in indicators),
        # Means to carry it out: money with an amount, others who take part, or a starting point to go from.
        "achievable": bool(content.get("financial", {}).get("amount"))
        or bool(content.get("participants"))
        or any(i.get("baseline") for i in indicators),
        "relevant": any(content.get(name) for name in ("objectives", "principles", "gcm_actions")),
        "time_bound": bool(content.get("ends_on")) or any(i.get("due_on") for i in indicators),
    }
    advice = {
        "specific": "A title, a form and a description of 300 characters or more.",
        "measurable": "An indicator with a target.",
        "achievable": "The amount, the partners, or an indicator's baseline.",
        "relevant": "The objectives, principles or actions it advances.",
        "time_bound": "An end date, or an indicator's due date.",
    }
    return {**shown, "missing": [advice[name] for name, held in shown.items() if not held]}
