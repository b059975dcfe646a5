"""When the reviews of a round carry an outcome: pure, so that it can be tried with every panel there may be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["internal", "external"]
Outcome = Literal["accept", "revise", "decline"]

INTERNAL, EXTERNAL = 1, 2


@dataclass(frozen=True)
class Seat:
    """One reviewer's place in a round.

    `conflict` is None until it is declared; `recommendation` None until it is given. A seat of a reviewer who was
    replaced is `open` no longer.
    """

    kind: Kind
    conflict: bool | None = None
    recommendation: Outcome | None = None
    open: bool = True


@dataclass(frozen=True)
class Panel:
    """The seats of one round, and what follows from them."""

    seats: Sequence[Seat] = ()

    def lacks_quorum(self) -> str | None:
        """Why the review cannot start, or None: one internal and two external reviewers without a conflict."""
        return _short("assigned", [seat.kind for seat in self.seats if seat.open and not seat.conflict])

    @property
    def reported(self) -> list[Seat]:
        """Seats whose reports count: declared free of conflict, and in their place."""
        return [seat for seat in self.seats if seat.open and seat.conflict is False and seat.recommendation]

    @property
    def outcome(self) -> Outcome | None:
        """What the reviews carry: unanimous at quorum, or a strict majority once a further reviewer has reported."""
        reported = self.reported
        if _short("", [seat.kind for seat in reported]):
            return None
        votes = Counter(seat.recommendation for seat in reported)
        leading, count = votes.most_common(1)[0]
        carried = count == len(reported) or (self._further and count * 2 > len(reported))
        return leading if carried else None

    @property
    def _further(self) -> bool:
        return len(self.reported) > INTERNAL + EXTERNAL

    @property
    def state(self) -> Literal["waiting", "carried", "disagreed", "deadlocked"]:
        """`disagreed` asks for a further reviewer, `deadlocked` for the secretariat's own decision."""
        if _short("", [seat.kind for seat in self.reported]):
            return "waiting"
        if self.outcome:
            return "carried"
        return "deadlocked" if self._further else "disagreed"

    def forbids(self, outcome: Outcome) -> str | None:
        """Why the reviews do not carry this outcome, or None where they do."""
        match self.state:
            case "waiting":
                return _short("reported", [seat.kind for seat in self.reported])
            case "carried" if self.outcome == outcome:
                return None
            case "carried":
                return f"The reviews carry {self.outcome}" + (": return it." if self.outcome == "revise" else ".")
            case "disagreed":
                return "The reviewers disagree: assign a further one."
        return "The reviews carry no outcome: decide, with the rationale as comment."

    def not_deadlocked(self) -> str | None:
        """Why the secretariat may not decide by itself, or None where it may."""
        if self.state == "deadlocked":
            return None
        return self.forbids("accept") or "The reviews carry accept."


def _short(what: str, kinds: Sequence[Kind]) -> str | None:
    missing = {"internal": INTERNAL - kinds.count("internal"), "external": EXTERNAL - kinds.count("external")}
    short = [f"{count} {kind}" for kind, count in missing.items() if count > 0]
    return f"Still to be {what}: {' and '.join(short)} reviewer(s) without a conflict." if short else None
