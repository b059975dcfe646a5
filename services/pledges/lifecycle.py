"""The life of a pledge (design, section 5)."""

from shared.lifecycle import OWNER, SECRETARIAT, Lifecycle, Move, all_but, statuses
from shared.records import RecordMixin

STATUSES = ("draft", "submitted", "returned", "published", "revising", "declined", "withdrawn")
EDITABLE = statuses("draft", "returned", "revising")


def _back(record: RecordMixin) -> str:
    return "revising" if record.public else "draft"


def _declined(record: RecordMixin) -> str:
    return "published" if record.public else "declined"


def _needs_publication(record: RecordMixin) -> str | None:
    return None if record.public else "There is no publication to go back to."


PLEDGE: Lifecycle[RecordMixin] = Lifecycle(
    "pledge",
    STATUSES,
    (
        Move("submit", EDITABLE, "submitted", OWNER),
        Move("recall", statuses("submitted"), _back, OWNER, lands="draft, or revising where a publication stands"),
        Move("return", statuses("submitted"), "returned", SECRETARIAT, comment=True),
        Move(
            "decline",
            statuses("submitted"),
            _declined,
            SECRETARIAT,
            comment=True,
            lands="declined, or published where a publication stands",
        ),
        Move("publish", statuses("submitted"), "published", SECRETARIAT),
        Move("revise", statuses("published"), "revising", OWNER | SECRETARIAT),
        Move("discard", statuses("revising", "returned"), "published", OWNER, guard=_needs_publication),
        Move("withdraw", all_but(STATUSES, "declined", "withdrawn"), "withdrawn", OWNER | SECRETARIAT, comment=True),
        Move("reopen", statuses("declined", "withdrawn"), "returned", SECRETARIAT),
        Move(
            "transfer", frozenset(STATUSES), lambda record: record.status, SECRETARIAT, comment=True, lands="unchanged"
        ),
    ),
)
