"""What a concept note must hold before it is submitted, and the guidance that only warns."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.mptf.organisations import same
from services.mptf.policy import FundPolicy
from services.mptf.schemas import ConceptNoteDraft
from shared.forms import Form
from shared.problems import Fault
from shared.reference import member_by, thematic_area_of

FORM = Form(
    ConceptNoteDraft,
    Path(__file__).with_name("data") / "form.json",
    choices={
        "primary_objectives": ("objectives", "number"),
        "secondary_objectives": ("objectives", "number"),
        "thematic_area": ("thematic-areas", "number"),
    },
    elsewhere={
        "countries": "/v1/reference/countries",
        "participating_organisations": "/v1/reference/members",
        "principles": "/v1/reference/principles",
    },
)


def areas_of(objectives: Iterable[int]) -> set[int]:
    return {thematic_area_of(objective) for objective in objectives}


def thematic_area(content: dict[str, Any]) -> int | None:
    """The area that all primary objectives lie in, else the one that is stated and holds one of them."""
    areas = areas_of(content.get("primary_objectives", []))
    if len(areas) == 1:
        return areas.pop()
    stated: int | None = content.get("thematic_area")
    return stated if stated in areas else None


def budget_total(content: dict[str, Any]) -> Decimal | None:
    """The sum of the lines, or what a source states; None where neither is known."""
    if stated := content.get("budget_stated"):
        return Decimal(stated)
    lines = content.get("budget", [])
    return sum((Decimal(line["amount"]) for line in lines), Decimal(0)) if lines else None


def gaps(content: dict[str, Any], policy: FundPolicy) -> list[Fault]:
    """One fault for each thing that `submit` still misses: what the form asks, and what fits together. Not
    endorsements: those depend on who submits.
    """
    found = FORM.gaps(content) + _organisations(content, policy)
    if content.get("primary_objectives") and thematic_area(content) is None:
        detail = "The primary objectives lie in several areas: state one that holds one of them."
        found.append(Fault(pointer="/thematic_area", detail=detail))
    for index, each in enumerate(content.get("without_resident_coordinator", [])):
        if each["country"] not in content.get("countries", []):
            where = f"/without_resident_coordinator/{index}/country"
            found.append(Fault(pointer=where, detail=f"{each['country']} is no country of the note."))
    return found


def _organisations(content: dict[str, Any], policy: FundPolicy) -> list[Fault]:
    found: list[Fault] = []
    participating = content.get("participating_organisations", [])
    members = {member.slug for name in participating if (member := member_by(name))}
    if participating and len(members) < policy.minimum_organisations:
        detail = f"At least {policy.minimum_organisations} members of the Network; there are {len(members)}."
        found.append(Fault(pointer="/participating_organisations", detail=detail))
    convening = content.get("convening_organisation")
    if convening and not any(same(convening, name) for name in participating):
        detail = "The convening organisation is one of those that participate."
        found.append(Fault(pointer="/convening_organisation", detail=detail))
    lines = [line["organisation"] for line in content.get("budget", [])]
    for index, name in enumerate(lines):
        where = f"/budget/{index}/organisation"
        if not any(same(name, other) for other in participating):
            found.append(Fault(pointer=where, detail=f"{name} is not a participating organisation."))
        if any(same(name, other) for other in lines[:index]):
            found.append(Fault(pointer=where, detail=f"{name} has a line already."))
    if lines and not budget_total(content):
        found.append(Fault(pointer="/budget", detail="The budget comes to nothing."))
    for index, line in enumerate(content.get("budget", [])):
        if Decimal(line.get("indirect_costs", 0)) > Decimal(line["amount"]):
            found.append(Fault(pointer=f"/budget/{index}/indirect_costs", detail="More than the whole line."))
    return found


def warnings(content: dict[str, Any], policy: FundPolicy) -> list[dict[str, str]]:
    """Guidance, never a refusal."""
    found: list[tuple[str, str]] = []
    area = thematic_area(content)
    for index, objective in enumerate(content.get("primary_objectives", [])):
        if area is not None and (lies_in := thematic_area_of(objective)) != area:
            found.append((f"/primary_objectives/{index}", f"Objective {objective} lies in thematic area {lies_in}."))
    months, guidance = content.get("duration_months"), policy.duration_months
    if months is not None and not guidance.at_least <= months <= guidance.at_most:
        aim = f"{guidance.at_least} to {guidance.at_most} months are usual"
        found.append(("/duration_months", f"{months} months; {aim}."))
    total, usual = budget_total(content), policy.budget
    if total is not None and not usual.at_least <= total <= usual.at_most:
        aim = f"{usual.at_least} to {usual.at_most} {usual.currency} are usual"
        found.append(("/budget", f"{total} {usual.currency}; {aim}."))
    for index, line in enumerate(content.get("budget", [])):
        indirect = Decimal(line.get("indirect_costs", 0))
        direct = Decimal(line["amount"]) - indirect
        if indirect > policy.indirect_share * direct:
            held = f"{indirect / direct:.2%}" if direct > 0 else "all"
            detail = (
                f"Indirect costs of {indirect} USD are {held} of the direct costs of {direct} USD; "
                f"at most {policy.indirect_share:.2%}, {policy.indirect_share * direct:.2f} USD."
            )
            found.append((f"/budget/{index}/indirect_costs", detail))
    if not content.get("sdg_targets"):
        found.append(("/sdg_targets", "No target of the 2030 Agenda is named."))
    if content.get("scope") == "country" and len(content.get("countries", [])) > 1:
        found.append(("/scope", "The scope is one country, the note names several."))
    return [{"pointer": pointer, "detail": detail} for pointer, detail in found]
