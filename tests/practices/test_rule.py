"""The review rule with every panel there may be, against the design's own words written a second time."""

from hypothesis import example, given
from hypothesis import strategies as st

from services.practices.rule import Panel, Seat

seats = st.builds(
    Seat,
    kind=st.sampled_from(("internal", "external")),
    conflict=st.sampled_from((None, False, True)),
    recommendation=st.sampled_from((None, "accept", "revise", "decline")),
    open=st.booleans(),
)
panels = st.lists(seats, max_size=8).map(lambda drawn: Panel(tuple(drawn)))
A, R, D = "accept", "revise", "decline"


def panel(internal: list[str], external: list[str]) -> Panel:
    made = [("internal", each) for each in internal] + [("external", each) for each in external]
    return Panel(tuple(Seat(kind, False, said) for kind, said in made))  # type: ignore[arg-type]


def votes(given_panel: Panel) -> dict[str, list[str]]:
    """Who counts: not replaced, no conflict declared, reported."""
    found: dict[str, list[str]] = {"internal": [], "external": []}
    for seat in given_panel.seats:
        if seat.open and seat.conflict is False and seat.recommendation is not None:
            found[seat.kind].append(seat.recommendation)
    return found


@given(panels)
@example(panel([A], [A, A]))
@example(panel([A], [A, R]))
@example(panel([A], [A, A, R]))
@example(panel([A, R], [A, R]))
def test_an_outcome_is_carried_exactly_when_the_rule_says_so(given_panel: Panel) -> None:
    said = votes(given_panel)
    everybody = said["internal"] + said["external"]
    at_quorum = len(said["internal"]) >= 1 and len(said["external"]) >= 2
    for outcome in (A, R, D):
        unanimous = at_quorum and set(everybody) == {outcome}
        majority = at_quorum and len(everybody) >= 4 and everybody.count(outcome) > len(everybody) / 2
        assert (given_panel.outcome == outcome) == (unanimous or majority)
        assert (given_panel.forbids(outcome) is None) == (unanimous or majority)  # type: ignore[arg-type]


@given(panels)
def test_the_secretariat_decides_alone_only_where_a_further_reviewer_brought_no_majority(given_panel: Panel) -> None:
    said = votes(given_panel)
    everybody = said["internal"] + said["external"]
    at_quorum = len(said["internal"]) >= 1 and len(said["external"]) >= 2
    tied = len(everybody) >= 4 and all(everybody.count(each) * 2 <= len(everybody) for each in (A, R, D))
    assert (given_panel.not_deadlocked() is None) == (at_quorum and tied)
    assert given_panel.state in ("waiting", "carried", "disagreed", "deadlocked")
    assert (given_panel.state == "waiting") == (not at_quorum)


@given(panels, seats)
def test_who_has_a_conflict_or_was_replaced_changes_nothing(given_panel: Panel, more: Seat) -> None:
    for seat in (
        Seat(more.kind, True, more.recommendation, more.open),
        Seat(more.kind, more.conflict, more.recommendation, open=False),
    ):
        with_more = Panel((*given_panel.seats, seat))
        assert (with_more.outcome, with_more.state) == (given_panel.outcome, given_panel.state)
        assert with_more.lacks_quorum() == given_panel.lacks_quorum()


@given(panels)
def test_a_review_starts_with_one_internal_and_two_external(given_panel: Panel) -> None:
    kinds = [seat.kind for seat in given_panel.seats if seat.open and not seat.conflict]
    enough = kinds.count("internal") >= 1 and kinds.count("external") >= 2
    assert (given_panel.lacks_quorum() is None) == enough


def test_a_majority_for_revision_says_that_it_is_to_be_returned() -> None:
    carried = panel([R], [R, R])
    assert carried.outcome == R
    assert carried.forbids("accept") == "The reviews carry revise: return it."
    assert carried.not_deadlocked() == "The reviews carry revise: return it."
