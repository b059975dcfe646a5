"""Joint programmes as activities of the International Aid Transparency Initiative's standard, version 2.03.

The standard asks for dates and yearly budgets that the Fund does not always know. What is taken in their place says
so in its narrative; a programme without any date is left out, and the file's last comment counts those.
"""

import re
from calendar import monthrange
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from langcodes.data_dicts import TERRITORY_REPLACEMENTS
from pydantic_core import from_json

from services.mptf.programmes.projection import money
from shared import clock
from shared.exports import Batches
from shared.reference import member_by

MEDIA_TYPE = "application/xml"
VERSION = "2.03"
# The Fund's code at the Multi-Partner Trust Fund Office.
FUND = "MPTF-MIG00"
FUND_NAME = "Migration Multi-Partner Trust Fund"

# Codes of the standard's lists.
STATUS = {
    "selected": "1",
    "in_development": "1",
    "document_submitted": "1",
    "approved": "1",
    "funded": "2",
    "active": "2",
    "operationally_closed": "3",
    "financially_closed": "4",
    "cancelled": "5",
}
CLOSED = ("operationally_closed", "financially_closed")
SCOPE = {"global": "1", "regional": "2", "cross_border": "3", "multi_country": "3", "country": "4"}
FUNDING, ACCOUNTABLE, IMPLEMENTING = "1", "2", "4"
MULTILATERAL = "40"
PARTNERS = {
    "member_state": "10",
    "local_government": "11",
    "un_entity": "40",
    "intergovernmental_organization": "40",
    "private_sector": "70",
    "academia": "80",
}
PLANNED_START, ACTUAL_START, PLANNED_END, ACTUAL_END = "1", "2", "3", "4"
SDG_GOALS, SDG_TARGETS, OWN = "2", "3", "99"
COMMITMENT, DISBURSEMENT = "2", "3"

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


async def document(items: Batches, public_url: str) -> AsyncGenerator[bytes, None]:
    """The file, written while programmes come (`exports.items_with_money`)."""
    left_out = 0
    made = clock.now().replace(microsecond=0).isoformat().replace("+00:00", "Z")
    async with aclosing(items):
        yield f'<?xml version="1.0" encoding="UTF-8"?>\n<iati-activities version="{VERSION}" '.encode()
        yield f'generated-datetime="{made}">\n'.encode()
        async for batch in items:
            found = [activity(**from_json(item), public_url=public_url) for item in batch]
            left_out += found.count(None)
            yield b"".join(tostring(each, "utf-8", xml_declaration=False) + b"\n" for each in found if each is not None)
        if left_out:
            yield f"<!-- {left_out} left out: no date of theirs is known, and the standard asks for one. -->\n".encode()
        yield b"</iati-activities>\n"


def activity(
    programme: dict[str, Any], approved: list[dict[str, Any]], transfers: list[dict[str, Any]], public_url: str
) -> Element | None:
    """One activity, its elements in the order of the standard's schema; None where no date is known."""
    dates = list(_dates(programme))
    if not dates:
        return None
    made = Element(
        "iati-activity",
        {
            "xml:lang": "en",
            "default-currency": "USD",
            "last-updated-datetime": programme["updated_at"],
        },
    )
    SubElement(made, "iati-identifier").text = f"{FUND}-{programme['reference']}"
    _narrated(made, "reporting-org", FUND_NAME, ref=FUND, type=MULTILATERAL)
    _narrated(made, "title", programme["title"] or programme["label"])
    for kind, name in (("1", "rationale"), ("2", "results")):
        if programme[name] or kind == "1":
            _narrated(made, "description", programme[name] or "Not known.", type=kind)
    _organisations(made, programme)
    SubElement(made, "activity-status", code=STATUS[programme["status"]])
    for kind, day, remark in dates:
        _narrated(made, "activity-date", remark, **{"type": kind, "iso-date": day.isoformat()})
    if programme["scope"]:
        SubElement(made, "activity-scope", code=SCOPE[programme["scope"]])
    for country in programme["countries"]:
        SubElement(made, "recipient-country", code=TERRITORY_REPLACEMENTS[country.lower()])
    own = f"{public_url}/v1/reference"
    if programme["thematic_area"]:
        code = str(programme["thematic_area"])
        SubElement(made, "sector", {"vocabulary": OWN, "vocabulary-uri": f"{own}/thematic-areas", "code": code})
    for objective in sorted({*programme["primary_objectives"], *programme["secondary_objectives"]}):
        code = str(objective)
        SubElement(made, "tag", {"vocabulary": OWN, "vocabulary-uri": f"{own}/objectives", "code": code})
    for goal in programme["sdgs"]:
        SubElement(made, "tag", vocabulary=SDG_GOALS, code=str(goal))
    for target in programme["sdg_targets"]:
        if "." in target:
            SubElement(made, "tag", vocabulary=SDG_TARGETS, code=target)
    _budgets(made, programme, next((day for kind, day, _ in dates if kind in (PLANNED_START, ACTUAL_START)), None))
    _transactions(made, programme, approved, transfers)
    return made


def _narrated(parent: Element, name: str, text: str | None, **attributes: str) -> Element:
    made = SubElement(parent, name, attributes)
    if text:
        SubElement(made, "narrative").text = _NOT_XML.sub("", text)
    return made


def _organisations(made: Element, programme: dict[str, Any]) -> None:
    _narrated(made, "participating-org", FUND_NAME, ref=FUND, role=FUNDING, type=MULTILATERAL)
    if convening := programme["convening_organisation"]:
        _narrated(made, "participating-org", convening, role=ACCOUNTABLE, **_kind(convening))
    for name in programme["participating_organisations"]:
        _narrated(made, "participating-org", name, role=IMPLEMENTING, **_kind(name))
    for partner in programme["partners"]:
        kind = {"type": PARTNERS[partner["type"]]} if partner["type"] in PARTNERS else {}
        _narrated(made, "participating-org", partner["name"], role=IMPLEMENTING, **kind)


def _kind(organisation: str) -> dict[str, str]:
    """Members of the Network are multilateral; of others the kind is not known."""
    return {"type": MULTILATERAL} if member_by(organisation) else {}


def _dates(programme: dict[str, Any]) -> Iterator[tuple[str, date, str | None]]:
    """Type, day and, where the day itself is not known, what it stands for."""
    starts, ends, months = programme["starts_on"], programme["ends_on"], programme["duration_months"]
    closed = programme["status"] in CLOSED
    if starts:
        yield ACTUAL_START, _first(starts), _known_as(starts)
        if months and not (ends and not closed):
            yield PLANNED_END, _later(_first(starts), months) - timedelta(days=1), _known_as(starts)
    elif programme["status_history"]:
        day = date.fromisoformat(programme["status_history"][0]["at"][:10])
        yield PLANNED_START, day, "The day of its selection: the start is not known yet."
    if ends:
        yield ACTUAL_END if closed else PLANNED_END, _last(ends), _known_as(ends)


def _known_as(partial: str) -> str | None:
    return None if len(partial) == 10 else f"Known as {partial}."


def _first(partial: str) -> date:
    return date.fromisoformat(f"{partial}-01-01"[:10])


def _last(partial: str) -> date:
    if len(partial) == 10:
        return date.fromisoformat(partial)
    first = _first(partial)
    return _later(first, 12 if len(partial) == 4 else 1) - timedelta(days=1)


def _later(day: date, months: int) -> date:
    """The same day so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _budgets(made: Element, programme: dict[str, Any], start: date | None) -> None:
    """The budget in parts of at most a year, as the standard asks: indicative, by months, their sum exact."""
    months, total = programme["duration_months"], programme["budget_total"]
    if not (months and total and start):
        return
    left = Decimal(total)
    for begin in range(0, months, 12):
        end = min(begin + 12, months)
        part = left if end == months else (Decimal(total) * (end - begin) / months).quantize(Decimal("0.01"))
        left -= part
        budget = SubElement(made, "budget", type="1", status="1")
        first, last = _later(start, begin), _later(start, end) - timedelta(days=1)
        SubElement(budget, "period-start", {"iso-date": first.isoformat()})
        SubElement(budget, "period-end", {"iso-date": last.isoformat()})
        _value(budget, part, first)


def _transactions(
    made: Element, programme: dict[str, Any], approved: list[dict[str, Any]], transfers: list[dict[str, Any]]
) -> None:
    """A commitment to each organisation on the day of approval, and a disbursement for each transfer."""
    days = [each["at"][:10] for each in programme["status_history"] if each["status"] == "approved"]
    for line in approved if days else []:
        _transaction(made, COMMITMENT, {**line, "on": days[-1]})
    for transfer in transfers:
        _transaction(made, DISBURSEMENT, transfer)


def _transaction(made: Element, kind: str, moved: dict[str, Any]) -> None:
    transaction = SubElement(made, "transaction")
    day = date.fromisoformat(moved["on"])
    SubElement(transaction, "transaction-type", code=kind)
    SubElement(transaction, "transaction-date", {"iso-date": day.isoformat()})
    _value(transaction, Decimal(moved["amount"]), day)
    _narrated(transaction, "provider-org", FUND_NAME, ref=FUND, type=MULTILATERAL)
    _narrated(transaction, "receiver-org", moved["organisation"], **_kind(moved["organisation"]))


def _value(parent: Element, amount: Decimal, day: date) -> None:
    made = SubElement(parent, "value", {"currency": "USD", "value-date": day.isoformat()})
    made.text = money(amount)
