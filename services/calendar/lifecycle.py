"""The life of an event and of a statement (design, section 5)."""

from typing import Any

from shared.lifecycle import SECRETARIAT, Lifecycle, Move, Who, owns, statuses
from shared.records import RecordMixin

STATUSES = ("suggested", "published", "declined", "cancelled", "withdrawn")
PUBLIC = statuses("published", "cancelled")

SUGGESTER: Who[Any] = Who("suggester", lambda caller, record: caller.sub == record.created_by or owns(caller, record))

EVENT: Lifecycle[RecordMixin] = Lifecycle(
    "event",
    STATUSES,
    (
        Move("publish", statuses("suggested"), "published", SECRETARIAT),
        Move("decline", statuses("suggested"), "declined", SECRETARIAT),
        Move("reschedule", statuses("published"), "published", SECRETARIAT, comment=True),
        Move("cancel", statuses("published"), "cancelled", SECRETARIAT, comment=True),
        Move("withdraw", statuses("suggested"), "withdrawn", SUGGESTER),
    ),
)

STATEMENT_STATUSES = ("planned", "drafting", "in_clearance", "issued", "dropped")
OPEN = statuses("planned", "drafting", "in_clearance")

LEAD: Who[Any] = Who(
    "lead entity or deputy", lambda caller, record: caller.entity is not None and caller.entity in record.drafters
)

STATEMENT: Lifecycle[RecordMixin] = Lifecycle(
    "statement",
    STATEMENT_STATUSES,
    (
        Move("draft", statuses("planned"), "drafting", LEAD | SECRETARIAT),
        Move("submit", statuses("drafting"), "in_clearance", LEAD | SECRETARIAT),
        Move("recall", statuses("in_clearance"), "drafting", LEAD),
        Move("return", statuses("in_clearance"), "drafting", SECRETARIAT, comment=True),
        Move("issue", statuses("in_clearance"), "issued", SECRETARIAT),
        Move("drop", OPEN, "dropped", SECRETARIAT, comment=True),
        Move("reopen", statuses("dropped"), "planned", SECRETARIAT),
    ),
)
