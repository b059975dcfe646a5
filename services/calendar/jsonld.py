"""An event as schema.org/Event, for search engines and portals."""

import json
from typing import Any

ATTENDANCE = {
    "online": "https://schema.org/OnlineEventAttendanceMode",
    "in_person": "https://schema.org/OfflineEventAttendanceMode",
    "hybrid": "https://schema.org/MixedEventAttendanceMode",
}


def jsonld(body: bytes, public_url: str) -> dict[str, Any]:
    """The publication (as it is answered) in the vocabulary of schema.org; absent where nothing is known."""
    event = json.loads(body)
    address = f"{public_url.rstrip('/')}/v1/calendar/events/{event['id']}"
    online = event["mode"] in ("online", "hybrid")
    places: list[dict[str, Any]] = []
    if event["location"] and event["mode"] != "online":
        places.append({"@type": "Place", "name": event["location"], "address": event["location"]})
    if online:
        places.append({"@type": "VirtualLocation", "url": event["url"] or address})
    state = "EventCancelled" if event["status"] == "cancelled" else "EventScheduled"
    found = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": address,
        "identifier": event["reference"],
        "name": event["title"],
        "description": event["description"],
        # A date known to the month is one of ISO 8601 too: schema.org takes `2022-02`.
        "startDate": event["starts_at"] or event["starts_on"],
        "endDate": event["ends_at"] or event["ends_on"],
        "eventStatus": f"https://schema.org/{state}",
        "eventAttendanceMode": ATTENDANCE.get(event["mode"]),
        "location": places[0] if len(places) == 1 else places,
        "organizer": [{"@type": "Organization", "name": name} for name in event["organisers"]],
        "inLanguage": event["interpretation"],
        "url": event["url"] or address,
        "about": [f"Objective {number} of the Global Compact for Migration" for number in event["objectives"]],
    }
    if event["recurrence"] == "annual":
        found["eventSchedule"] = {
            "@type": "Schedule",
            "startDate": event["starts_on"],
            "repeatFrequency": "P1Y",
            "scheduleTimezone": event["timezone"],
        }
    return _known(found)


def _known(node: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _known(value) if isinstance(value, dict) else value
        for name, value in node.items()
        if value not in (None, [], "")
    }
