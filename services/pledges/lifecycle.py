"""The life of a pledge (design, section 5)."""

from typing import Any

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
        Move(
            "discard",
            statuses("revising", "returned"),
            "published",
            OWNER,
            guard=_needs_publication,
            when="a publication stands",
        ),
        Move("withdraw", all_but(STATUSES, "declined", "withdrawn"), "withdrawn", OWNER | SECRETARIAT, comment=True),
        Move("reopen", statuses("declined", "withdrawn"), "returned", SECRETARIAT),
        Move(
            "transfer", frozenset(STATUSES), lambda record: record.status, SECRETARIAT, comment=True, lands="unchanged"
        ),
    ),
)

SUPPORT_STATUSES = ("open", "assigned", "answered", "closed")

SUPPORT: Lifecycle[Any] = Lifecycle(
    "support request",
    SUPPORT_STATUSES,
    (
        Move("assign", statuses("open", "assigned"), "assigned", SECRETARIAT),
        Move("answer", statuses("assigned"), "answered", SECRETARIAT, comment=True),
        Move("close", statuses("open", "assigned", "answered"), "closed", OWNER | SECRETARIAT),
        Move("reopen", statuses("answered", "closed"), "open", OWNER | SECRETARIAT, comment=True),
    ),
)
