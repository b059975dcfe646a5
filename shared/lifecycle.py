"""A lifecycle is a table; only `Lifecycle.apply` changes a record's status.

The same predicates decide what a caller is offered (`actions`) and what they may do (`apply`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from shared.auth import Caller
from shared.problems import Fault, Problem


class Stateful(Protocol):
    """What a lifecycle needs of a record."""

    status: Any
    owner: Any


R = TypeVar("R", bound=Stateful)


@dataclass(frozen=True)
class Who(Generic[R]):
    """Who may do something: a name for the documents, and the predicate over caller and record."""

    name: str
    allows: Callable[[Caller, R], bool]

    def __or__(self, other: "Who[R]") -> "Who[R]":
        return Who(
            f"{self.name}, {other.name}", lambda caller, record: any(w.allows(caller, record) for w in (self, other))
        )


def owns(caller: Caller | None, record: Stateful) -> bool:
    """Colleagues share the records of their entity."""
    return caller is not None and caller.entity is not None and caller.entity == record.owner


OWNER: Who[Any] = Who("owner", owns)
SECRETARIAT: Who[Any] = Who("secretariat", lambda caller, _: caller.has("secretariat"))


@dataclass(frozen=True)
class Move(Generic[R]):
    """One row: `action` takes a record from any of `sources` to `target`.

    `target` may depend on the record (`lands` then names the possible ones for the documents). `comment` makes a
    comment necessary. `guard` gives the reason why the record's state forbids it now, or None; `when` says its
    condition for the documents.
    """

    action: str
    sources: frozenset[str]
    target: str | Callable[[R], str]
    by: Who[R]
    comment: bool = False
    guard: Callable[[R], str | None] | None = None
    lands: str = ""
    when: str = ""

    def goes_to(self, record: R) -> str:
        return self.target if isinstance(self.target, str) else self.target(record)


class Lifecycle(Generic[R]):
    """The table of one kind of record; rows of one action may differ by their sources."""

    def __init__(self, name: str, statuses: Sequence[str], moves: Sequence[Move[R]]) -> None:
        self.name = name
        self.statuses = tuple(statuses)
        self.moves = tuple(moves)
        self.action_names = tuple(dict.fromkeys(move.action for move in moves))
        strangers = {s for move in moves for s in move.sources} - set(statuses)
        if strangers:
            raise ValueError(f"{name}: statuses that are none: {sorted(strangers)}")

    def actions(self, record: R, caller: Caller) -> list[str]:
        """What `caller` may do to `record` now, in the table's order."""
        open_now = (
            move.action
            for move in self.moves
            if record.status in move.sources
            and move.by.allows(caller, record)
            and (move.guard is None or move.guard(record) is None)
        )
        return list(dict.fromkeys(open_now))

    def find(self, record: R, action: str, caller: Caller, comment: str | None) -> Move[R]:
        """The row that `action` takes now.

        403 where the action is not the caller's at all, 409 at the wrong moment, 422 without a comment that is
        needed.
        """
        rows = [move for move in self.moves if move.action == action]
        if not rows:
            raise Problem("not-found", f"There is no action {action!r}.")
        here = [move for move in rows if record.status in move.sources]
        if not any(move.by.allows(caller, record) for move in here or rows):
            raise Problem(
                "forbidden", f"{action} is for: {' or '.join(dict.fromkeys(m.by.name for m in here or rows))}."
            )
        if not here:
            allowed = ", ".join(sorted({status for move in rows for status in move.sources}))
            raise Problem("conflict", f"{action} is possible from {allowed}; the status is {record.status}.")
        reason = None
        for move in here:
            if not move.by.allows(caller, record):
                continue
            reason = move.guard(record) if move.guard else None
            if reason is None:
                if move.comment and not (comment and comment.strip()):
                    raise Problem(
                        "invalid",
                        f"{action} needs a comment.",
                        [Fault(pointer="/comment", detail="A comment is needed.")],
                    )
                return move
        raise Problem("conflict", reason or f"{action} is not possible now.")

    def apply(self, record: R, action: str, caller: Caller, comment: str | None = None) -> tuple[str, str]:
        """Move the record; the statuses it left and reached. The caller of this records the step."""
        move = self.find(record, action, caller, comment)
        left = record.status
        record.status = move.goes_to(record)
        return str(left), str(record.status)

    def table(self) -> str:
        """The lifecycle as a Markdown table, for `docs/lifecycles.md`."""
        rows = ["| action | from | to | by | comment | only if |", "|---|---|---|---|---|---|"]
        for move in self.moves:
            to = move.target if isinstance(move.target, str) else move.lands
            everywhere = move.sources == set(self.statuses)
            sources = "any" if everywhere else ", ".join(s for s in self.statuses if s in move.sources)
            cells = (move.action, sources, to, move.by.name, "needed" if move.comment else "", move.when)
            rows.append(f"| {' | '.join(cells)} |")
        return "\n".join(rows)


def statuses(*names: str) -> frozenset[str]:
    return frozenset(names)


def all_but(known: Iterable[str], *names: str) -> frozenset[str]:
    return frozenset(known) - frozenset(names)
