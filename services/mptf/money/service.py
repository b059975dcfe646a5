"""Contributions to the Fund and transfers out of it; every amount is a decimal with its currency."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from services.mptf.models import ApprovedLine, ConceptNote, Contribution, Transfer
from services.mptf.money import schemas
from services.mptf.organisations import canonical
from services.mptf.programmes.projection import money, refresh
from shared import clock, lists, records
from shared.auth import Caller
from shared.filters import Dimension, conditions
from shared.problems import Fault, Problem

DIMENSIONS = (
    Dimension("country", "country"),
    Dimension("currency", "currency"),
    Dimension("thematic_area", "thematic_areas", many=True),
)
SORTS = {"created_at": lists.Sort(Contribution.created_at), "updated_at": lists.Sort(Contribution.updated_at)}
# From approval on money may flow; after the financial closure and after a cancellation refunds only.
FLOWS = ("approved", "funded", "active", "operationally_closed")
FLOWS_BACK = ("financially_closed", "cancelled")


def require_unit(caller: Caller) -> None:
    """403 for all but the Fund Management Unit."""
    if not caller.has("fund_management_unit"):
        raise Problem("forbidden", "The Fund Management Unit records the Fund's money.")


# ---------------------------------------------------------------- contributions


async def contribute(session: AsyncSession, new: schemas.NewContribution, caller: Caller) -> Contribution:
    """Record what a donor gave."""
    if Decimal(new.amount) == 0:
        raise Problem("invalid", "A contribution is more than nothing.", [Fault(pointer="/amount", detail="Zero")])
    made = Contribution(
        **new.model_dump(exclude={"amount"}), id=uuid7(), amount=Decimal(new.amount), created_by=caller.sub
    )
    session.add(made)
    await session.flush()
    return made


async def find(session: AsyncSession, contribution_id: UUID, *, lock: bool = False) -> Contribution:
    found = await session.get(Contribution, contribution_id, with_for_update=lock or None)
    if found is None:
        raise Problem("not-found", "There is no such contribution.")
    return found


async def correct(session: AsyncSession, contribution: Contribution, changes: dict[str, Any]) -> None:
    """Put a contribution right; it is complete once amount, currency and date are known."""
    if "donor" in changes and changes["donor"] is None:
        raise Problem("invalid", "A contribution has a donor.", [Fault(pointer="/donor", detail="Needed")])
    if changes.get("amount") is not None:
        changes["amount"] = Decimal(changes["amount"])
    if "thematic_areas" in changes:
        changes["thematic_areas"] = changes["thematic_areas"] or []
    for name, value in changes.items():
        setattr(contribution, name, value)
    if (contribution.amount is None) != (contribution.currency is None):
        raise _invalid("/currency", "An amount goes with its currency.")
    contribution.complete = None not in (contribution.amount, contribution.currency, contribution.contributed_on)
    contribution.revision += 1
    contribution.updated_at = clock.now()
    await session.flush()


def contribution_shown(found: Any) -> schemas.Contribution:
    """A contribution as it is answered."""
    values = {name: getattr(found, name) for name in schemas.Contribution.model_fields}
    return schemas.Contribution.model_validate({**values, "amount": money(found.amount)})


async def contributions_page(reader: AsyncConnection, parameters: schemas.ContributionList) -> tuple[bytes, str | None]:
    """A page of contributions, the latest first unless asked otherwise."""
    where = conditions(Contribution, DIMENSIONS, parameters)
    columns = [getattr(Contribution, name) for name in schemas.Contribution.model_fields]
    found = await lists.page(
        reader, select(*columns), Contribution, where, parameters, sorts=SORTS, sort=parameters.sort
    )
    return lists.body([contribution_shown(row).model_dump_json().encode() for row in found.rows], found), found.next


# ---------------------------------------------------------------- transfers


async def transfer(session: AsyncSession, note: ConceptNote, new: schemas.NewTransfer, caller: Caller) -> Transfer:
    """Record a transfer against the organisation's line; never more than was approved, never below nothing."""
    amount, organisation = Decimal(new.amount), canonical(new.organisation)
    if note.status not in (FLOWS if amount > 0 else FLOWS + FLOWS_BACK):
        raise Problem("conflict", f"Transfers are recorded once a budget is approved; the status is {note.status}.")
    line = await session.get(ApprovedLine, (note.id, organisation), with_for_update=True)
    if line is None:
        raise _invalid("/organisation", f"The approved budget has no line of {organisation}.")
    if amount == 0:
        raise _invalid("/amount", "A transfer moves money.")
    if new.transferred_on > clock.today():
        raise _invalid("/transferred_on", "It lies in the future.")
    after = line.transferred + amount
    if not 0 <= after <= line.approved:
        detail = (
            f"{money(line.transferred)} of {money(line.approved)} USD are transferred: "
            f"at most {money(line.approved - line.transferred)} USD are left."
        )
        raise Problem("conflict", detail, [Fault(pointer="/amount", detail=detail)])
    made = Transfer(
        id=uuid7(),
        record_id=note.id,
        organisation=organisation,
        amount=amount,
        transferred_on=new.transferred_on,
        note=new.note,
        created_by=caller.sub,
    )
    session.add(made)
    details = {"organisation": organisation, "amount": money(amount), "currency": "USD"}
    note.touch()
    session.add(records.note(note, caller, "transfer_recorded", left=note.status, details=details))
    await session.flush()
    await refresh(session, note)
    await session.flush()
    return made


def transfer_shown(found: Transfer) -> schemas.Transfer:
    """A transfer as it is answered."""
    return schemas.Transfer.model_validate(
        {
            "id": found.id,
            "organisation": found.organisation,
            "amount": money(found.amount),
            "currency": "USD",
            "transferred_on": found.transferred_on,
            "note": found.note,
            "created_at": found.created_at,
        }
    )


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, [Fault(pointer=pointer, detail=detail)])
