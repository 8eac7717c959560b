"""A newer run comes while a driver works: what waits for the driver's word, what never changes, what is refused."""

from __future__ import annotations

import pytest

from mqtt.messages import Run
from mqtt.run import CheckItem, Notice
from tests.runs import DAY, PLAIN, Shift, at_the_door, codes, on_the_road, realistic_run, run, stop


def ids(shift: Shift) -> list[str]:
    assert shift.work.run is not None
    return [other.stop_id for other in shift.work.run.plan.stops]


def test_before_anybody_works_a_newer_run_is_taken_at_once() -> None:
    shift = Shift()
    shift.arrives(run())
    shift.arrives(run(stop("z"), n=2))
    assert ids(shift) == ["z"]
    assert shift.work.offer is None


def test_the_same_run_again_changes_nothing() -> None:
    shift = on_the_road(stop("a"))
    before = shift.work
    assert shift.arrives(run(stop("a"))).notes == []
    assert shift.work is before


@pytest.mark.parametrize(
    "newer",
    [run(stop("z"), n=4), run(stop("z"), n=5), run(stop("a"), stop("a"), n=6), run(stop("a"), stop("b", lines=stop("a").lines), n=6)],
)
def test_an_older_or_contradictory_run_is_refused_and_the_fleet_is_told(newer: Run) -> None:
    shift = on_the_road(stop("a"), n=5) if newer.n != 1 else on_the_road()
    shift.arrives(newer)
    assert ids(shift) == ["a"]
    assert shift.events() == ["run.refused"]
    assert shift.page()["toast"]["key"] == "run.refused"


def test_the_driver_is_asked_and_sees_how_much_changes() -> None:
    shift = on_the_road(stop("a"), stop("b"), stop("c"), stop("d"))
    shift.arrives(run(stop("a"), stop("c"), stop("d", note="ring twice"), stop("e"), n=2))
    assert shift.page()["overlay"] == {"kind": "run", "added": 1, "removed": 1, "changed": 1}
    assert ids(shift) == ["a", "b", "c", "d"]
    shift.tap("run.accept")
    assert ids(shift) == ["a", "c", "d", "e"]
    assert shift.page()["overlay"] is None


def test_one_stop_moved_is_one_change() -> None:
    shift = on_the_road(*(stop(name) for name in "abcdef"))
    shift.arrives(run(*(stop(name) for name in "aebcdf"), n=2))
    assert shift.page()["overlay"]["changed"] == 1


def test_call_me_keeps_the_route_and_the_offer_waits_among_the_messages() -> None:
    shift = on_the_road(stop("a"))
    shift.arrives(run(stop("z"), n=2))
    shift.tap("run.call")
    assert shift.page()["overlay"] is None
    assert ids(shift) == ["a"]
    assert "run.call" in shift.events()
    shift.tap("message.open")
    assert shift.d["offer"]["called"]
    shift.tap("run.accept")
    assert ids(shift) == ["z"]


def test_a_proof_in_the_making_stays_when_its_stop_is_gone_and_can_be_confirmed() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN), stop("b"), stop("c"))
    shift.tap("pod.start")
    shift.scan("JD-a-1")
    shift.arrives(run(stop("c"), stop("x"), n=2))
    assert shift.screen == "scan"
    shift.restart()
    shift.tap("run.accept")
    assert ids(shift) == ["a", "c", "x"]
    assert shift.screen == "scan"
    shift.scan("JD-a-2")
    shift.tap("pod.confirm")
    shift.tick(5)
    assert [proof.stop_id for proof in shift.proofs] == ["a"]
    shift.tap("route.stop", stop_id="a")
    assert shift.d["stop"]["kept"]


def test_a_proof_in_the_making_keeps_the_stop_as_it_was_begun() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("pod.start")
    shift.scan("JD-a-1")
    shift.arrives(run(stop("a", 5, proofs=PLAIN), stop("b"), n=2))
    shift.tap("run.accept")
    assert shift.d["total"] == 2


def test_a_done_stop_stays_done_when_the_run_no_longer_has_it() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN), stop("b"))
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("pod.confirm")
    shift.arrives(run(stop("b"), stop("c"), n=2))
    shift.tap("run.accept")
    shift.tick(5)
    assert (shift.d["done"], shift.d["total"]) == (1, 3)
    assert len(shift.proofs) == 1


def test_messages_and_clearances_come_at_once_without_a_question() -> None:
    shift = on_the_road(stop("a"))
    shift.arrives(run(stop("a"), n=2, messages=[Notice(message_id="m", t=f"{DAY}T10:00:00.000Z", text="Hello")]))
    assert shift.page()["overlay"] is None
    assert shift.d["unread"] == 1
    shift.arrives(run(stop("z"), n=3, messages=[Notice(message_id="n", t=f"{DAY}T10:00:00.000Z", text="Hello")]))
    shift.tap("message.open")
    assert [item["message_id"] for item in shift.d["items"]] == ["n"]
    assert ids(shift) == ["a"]


def test_tomorrows_run_waits_until_the_driver_signs_out() -> None:
    shift = on_the_road(stop("a"))
    shift.arrives(run(stop("t"), n=2, day="2026-11-22", checklist=(CheckItem(item_id="brakes"),)))
    assert ids(shift) == ["a"]
    shift.tap("session.end")
    assert ids(shift) == ["t"]
    assert not shift.work.load.done
    assert not shift.work.day.check.passed


def test_yesterdays_unfinished_proof_is_still_there_tomorrow() -> None:
    shift = at_the_door(stop("a", proofs=PLAIN))
    shift.tap("pod.start")
    shift.scan("JD-a-1")
    shift.arrives(run(stop("t"), n=2, day="2026-11-22"))
    shift.tap("session.end")
    assert set(ids(shift)) == {"a", "t"}
    draft = shift.work.stops["a"].draft
    assert draft is not None
    assert set(draft.marks) == {"JD-a-1"}


def test_a_stop_that_is_gone_leaves_the_screen_that_showed_it() -> None:
    shift = on_the_road(stop("a"), stop("b"))
    shift.tap("route.stop", stop_id="b")
    shift.arrives(run(stop("a"), n=2))
    shift.tap("run.accept")
    assert (shift.screen, shift.work.day.current) == ("route", None)


def test_a_realistic_morning_can_be_planned_and_drawn() -> None:
    shift = Shift()
    shift.arrives(realistic_run())
    shift.tick()
    assert len(ids(shift)) == 24
    assert shift.events() == ["run.accepted"]
