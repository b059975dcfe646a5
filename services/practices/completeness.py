"""What a practice must hold before it is submitted, by the form's own schema, and what it had better hold."""

from typing import Any

from jsonschema import Draft202012Validator

from services.practices.form import schema
from services.practices.schemas import TEXTS
from shared.problems import Fault, pointer

_validator = Draft202012Validator(schema("en"))
# The Compact was adopted in December 2018; older practices are welcome, newer ones wanted.
COMPACT = "2018-12"
WANTED = ("benefits", "lessons", "recommendations", "innovation", "principles", "practice_type")


def gaps(content: dict[str, Any]) -> list[Fault]:
    """One fault for each thing that `submit` still misses."""
    found: dict[str, str] = {}
    for error in _validator.iter_errors(content):
        path = list(error.absolute_path)
        if error.validator == "required":
            missing = [[*path, name] for name in error.validator_value if name not in error.instance]
        else:
            missing = [path]
        for each in missing:
            found[pointer(each)] = _asks(each)
            # An object that is not there lacks what is asked inside it.
            for inner in INSIDE.get(pointer(each), ()):
                found[pointer([*each, inner])] = _asks([*each, inner])
    for outer in INSIDE:
        found.pop(outer, None)
    starts, ends = content.get("starts_on"), content.get("ends_on")
    if starts and ends and latest(ends) < starts:
        found["/ends_on"] = "It ends before it starts."
    return [Fault(pointer=where, detail=detail) for where, detail in found.items()]


INSIDE = {"/contact": ("name", "email")}


def _asks(path: list[str | int]) -> str:
    properties: Any = schema("en")["properties"]
    label = properties.get(str(path[0]), {}).get("title", str(path[0]))
    inner = f", {path[-1]}" if len(path) > 1 else ""
    return f"Still needed: {label}{inner}."


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
