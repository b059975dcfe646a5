"""The life of a practice (design, section 5): peer review stands between a submission and the public."""

from typing import Any

from shared.lifecycle import OWNER, SECRETARIAT, Lifecycle, Move, all_but, statuses
from shared.records import RecordMixin

STATUSES = ("draft", "submitted", "in_review", "returned", "published", "revising", "declined", "withdrawn")
EDITABLE = statuses("draft", "returned", "revising")
# Where reviewers are assigned and reports come in.
OPEN = statuses("submitted", "in_review")


def _back(record: RecordMixin) -> str:
    return "revising" if record.public else "draft"


def _declined(record: RecordMixin) -> str:
    return "published" if record.public else "declined"


def _needs_publication(record: RecordMixin) -> str | None:
    return None if record.public else "There is no publication to go back to."


def _needs_quorum(practice: Any) -> str | None:
    reason: str | None = practice.panel.lacks_quorum()
    return reason


def _needs(outcome: str) -> Any:
    def guard(practice: Any) -> str | None:
        reason: str | None = practice.panel.forbids(outcome)
        return reason

    return guard


def _needs_deadlock(practice: Any) -> str | None:
    reason: str | None = practice.panel.not_deadlocked()
    return reason


def _needs_editorial(practice: Any) -> str | None:
    if practice.public and practice.editorial:
        return None
    return "Only a revision marked editorial is published without a review."


LANDS_DECLINED = "declined, or published where a publication stands"

PRACTICE: Lifecycle[Any] = Lifecycle(
    "practice",
    STATUSES,
    (
        Move("submit", EDITABLE, "submitted", OWNER),
        Move("recall", statuses("submitted"), _back, OWNER, lands="draft, or revising where a publication stands"),
        Move(
            "review",
            statuses("submitted"),
            "in_review",
            SECRETARIAT,
            guard=_needs_quorum,
            when="one internal and two external reviewers are assigned",
        ),
        Move("return", statuses("submitted", "in_review"), "returned", SECRETARIAT, comment=True),
        Move(
            "publish",
            statuses("in_review"),
            "published",
            SECRETARIAT,
            guard=_needs("accept"),
            when="the reviews carry accept",
        ),
        # Without a majority the secretariat decides, and says why.
        Move(
            "publish",
            statuses("in_review"),
            "published",
            SECRETARIAT,
            comment=True,
            guard=_needs_deadlock,
            when="a further reviewer has reported and no recommendation has a majority",
        ),
        Move(
            "publish",
            statuses("submitted"),
            "published",
            SECRETARIAT,
            comment=True,
            guard=_needs_editorial,
            when="it is a revision marked editorial",
        ),
        Move("decline", statuses("submitted"), _declined, SECRETARIAT, comment=True, lands=LANDS_DECLINED),
        Move(
            "decline",
            statuses("in_review"),
            _declined,
            SECRETARIAT,
            comment=True,
            guard=_needs("decline"),
            when="the reviews carry decline",
            lands=LANDS_DECLINED,
        ),
        Move(
            "decline",
            statuses("in_review"),
            _declined,
            SECRETARIAT,
            comment=True,
            guard=_needs_deadlock,
            when="a further reviewer has reported and no recommendation has a majority",
            lands=LANDS_DECLINED,
        ),
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
