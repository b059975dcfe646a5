"""From an event's content to what is derived of it, and to what is answered."""

from typing import Any

from services.calendar import dates, schemas
from services.calendar.models import Event, PublishedEvent
from shared import search
from shared.problems import Fault
from shared.reference import OBJECTIVE_NUMBERS, member_by, regions_of


def settle(content: dict[str, Any]) -> list[Fault]:
    """Bring content into its one form, in place: dates, and statuses that follow from lists; faults are returned."""
    found = dates.settle(content)
    objectives, principles = content.get("objectives", []), content.get("principles", [])
    everything = objectives and set(objectives) == OBJECTIVE_NUMBERS
    status = content.get("objectives_status")
    if status == "all":
        if objectives and not everything:
            found.append(Fault(pointer="/objectives", detail="`all` stands for the 23: leave the list out."))
        content["objectives"] = sorted(OBJECTIVE_NUMBERS)
    elif status in ("tbc", "none"):
        if objectives or principles:
            detail = f"With objectives or principles the status is not {status}."
            found.append(Fault(pointer="/objectives_status", detail=detail))
    elif status == "assigned" and not (objectives or principles):
        found.append(Fault(pointer="/objectives", detail="Name the objectives or principles that are assigned."))
    elif status is None:
        content["objectives_status"] = "all" if everything else "assigned" if objectives or principles else "none"
    leads, status = content.get("lead_entities", []), content.get("lead_status")
    if status is None:
        content["lead_status"] = "assigned" if leads else "none"
    elif (status == "assigned") != bool(leads):
        found.append(Fault(pointer="/lead_status", detail="`assigned` goes with leads, `tbc` and `none` without."))
    return found


def gaps(content: dict[str, Any]) -> list[Fault]:
    """One fault for each thing that `publish` still misses."""
    found = []
    if not content.get("kind"):
        found.append(Fault(pointer="/kind", detail="What kind of event it is."))
    if not (content.get("starts_on") or content.get("starts_at")):
        found.append(Fault(pointer="/starts_on", detail="When: a day, month or year, or starts_at with a timezone."))
    return found


def names_of(leads: list[dict[str, Any]]) -> list[str]:
    """Every name under which these leads may be asked for, in lower case."""
    names: set[str] = set()
    for lead in leads:
        names.add(lead["name"].lower())
        if slug := lead.get("member"):
            names.add(slug)
            if member := member_by(slug):
                names |= {member.acronym.lower(), *(alias.lower() for alias in member.aliases)}
    return sorted(names)


def derive(target: Event | PublishedEvent, content: dict[str, Any]) -> None:
    """Set the columns that lists, feeds and searches read."""
    countries = content.get("countries", [])
    organisers = ", ".join(content.get("organisers", []))
    target.kind = content.get("kind")
    target.mode = content.get("mode")
    target.series = content.get("series")
    target.one_voice = _known(content.get("one_voice"))
    target.network = _known(content.get("network"))
    target.objectives = content.get("objectives", [])
    target.principles = content.get("principles", [])
    target.leads = names_of(content.get("lead_entities", []))
    target.countries = countries
    target.regions = sorted({region for country in countries for region in regions_of(country)})
    target.title = content.get("title", "")
    target.search = search.vector(
        "en", target.title, content.get("description", ""), content.get("location", ""), organisers
    )
    when = dates.period(content)
    target.precision = when.precision if when else None
    if isinstance(target, Event):
        target.first_day, target.last_day = (when.first, when.last) if when else (None, None)


def _known(value: bool | None) -> str:
    return {True: "true", False: "false", None: "unknown"}[value]


def render(event: Event, content: dict[str, Any], beside: dict[str, Any]) -> schemas.Event:
    """An event as it is answered: its content and what stands beside it."""
    when = dates.period(content)
    hours = {}
    if when is not None and when.starts is not None:
        hours = {"precision": "day", "starts_on": when.first.isoformat()}
        if when.last != when.first:
            hours["ends_on"] = when.last.isoformat()
    return schemas.Event.model_validate(
        {
            **content,
            **hours,
            "id": event.id,
            "reference": event.reference,
            "version": event.version,
            "created_at": event.created_at,
            "updated_at": event.updated_at,
            "published_at": event.published_at,
            "sample": event.sample,
            "source": event.source,
            "complete": event.complete,
            "first_day": when.first if when else None,
            "last_day": when.last if when else None,
            "regions": event.regions,
            "sequence": event.sequence,
            "cancelled_at": event.cancelled_at,
            **beside,
        }
    )
