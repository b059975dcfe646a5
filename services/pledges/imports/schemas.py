"""What is read of an import: its state, and a line for each row with a fault for each cell."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.lists import Paging
from shared.schemas import Model

Outcome = Literal["ready", "created", "known", "faulty"]


class NewPledgeImport(Model):
    """Parameters of an import."""

    dry_run: bool = Field(default=False, description="Only judge the rows: nothing is created.")


class PledgeImportCounts(Model):
    """Rows by what became of them."""

    ready: int = Field(description="Without a fault, and not created (yet).")
    created: int
    known: int = Field(description="Their external id was imported before: left as it is.")
    faulty: int


class PledgeImport(Model):
    """A file of pledges: all of its rows come in, or none."""

    id: UUID
    status: Literal["queued", "running", "succeeded", "failed"] = Field(
        description="`failed` where the file or one of its rows has a fault: nothing was created."
    )
    dry_run: bool
    counts: PledgeImportCounts
    detail: str | None = Field(description="Why the file as a whole was refused; null where its rows say it.")
    created_at: datetime
    finished_at: datetime | None


class PledgeImportFault(Model):
    """What is wrong in a cell."""

    cell: str | None = Field(description="As the spreadsheet names it; null where the row as a whole is at fault.")
    column: str | None = Field(description="The field's name.")
    detail: str


class PledgeImportLine(Model):
    """What became of a row."""

    row: int = Field(description="As the spreadsheet counts: the header is 1.")
    outcome: Outcome
    external_id: str | None
    pledge_id: UUID | None
    reference: str | None
    faults: list[PledgeImportFault]
    gaps: list[str] = Field(description="JSON Pointers to what the pledge lacks: no fault, but asked at `submit`.")


class PledgeImportReport(Paging):
    """Parameters of the report."""

    outcome: list[Outcome] = []
