"""The round: vehicle check, loading, arriving, leaving, messages, and the end of the day."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from firmware.day.work import PhotoMade, Tick
from mqtt.run import CheckItem, Cod, Notice, Policy
from tests.runs import BADGE, DAY, EVERYTHING, HOME, NINE_MS, PLAIN, Shift, at, at_the_door, attachment, codes, on_the_road, run, stop

CHECKS = (CheckItem(item_id="brakes"), CheckItem(item_id="horn", safety=False))
HOUR_MS = 3_600_000


def at_check() -> Shift:
    shift = Shift()
    shift.arrives(run(checklist=CHECKS))
    shift.tick()
    shift.scan(BADGE)
    assert shift.screen == "check"
    return shift


def at_load(**changes: Any) -> Shift:
    shift = Shift()
    shift.arrives(run(stop("a"), stop("b"), stop("r", service="return"), **changes))
    shift.tick()
    shift.scan(BADGE)
    assert shift.screen == "load"
    return shift


def test_a_safety_defect_keeps_the_vehicle_until_dispatch_clears_it() -> None:
    shift = at_check()
    shift.tap("check.item", item_id="brakes", ok=False, note="soft")
    shift.tap("check.submit", all_ok=True)
    assert (shift.screen, shift.d["blocked"]) == ("check", ["brakes"])
    assert shift.told("check.done")["defects"] == [{"item_id": "brakes", "note": "soft"}]
    shift.restart(reboot=True)
    shift.tick()
    assert shift.refused("route.open") == "command.not_now"
    shift.arrives(run(checklist=CHECKS, cleared=["brakes"], n=2))
    assert (shift.screen, shift.page()["toast"]["key"]) == ("load", "check.cleared")


def test_a_defect_that_was_repaired_lets_the_vehicle_go() -> None:
    shift = at_check()
    shift.tap("check.item", item_id="brakes", ok=False)
    shift.tap("check.submit", all_ok=True)
    shift.tap("check.item", item_id="brakes", ok=True)
    shift.tap("check.submit")
    assert shift.screen == "load"


def test_a_defect_that_is_no_danger_does_not_keep_the_vehicle_and_is_remembered() -> None:
    shift = at_check()
    shift.tap("check.item", item_id="horn", ok=False)
    shift.tap("check.submit", all_ok=True)
    assert shift.screen == "load"
    shift.tap("end.open")
    shift.tap("end.check")
    assert [item["old_defect"] for item in shift.d["items"]] == [False, True]
    shift.tap("check.submit", all_ok=True)
    assert shift.screen == "end"
    assert shift.d["checked"]


def test_every_item_must_be_answered_and_a_defect_can_be_photographed() -> None:
    shift = at_check()
    assert shift.refused("check.submit") == "check.unanswered"
    assert shift.refused("check.photo", item_id="horn") == "check.no_defect"
    assert shift.refused("pod.photo") == "photo.not_now"
    shift.tap("check.item", item_id="horn", ok=False)
    shift.tap("check.photo", item_id="horn")
    shift.give(PhotoMade(attachment("horn")))
    shift.tap("check.submit", all_ok=True)
    photo = shift.told("check.done")["defects"][0]["photo"]
    assert (photo["kind"], photo["enc_sha256"]) == ("defect", attachment("horn").enc_sha256)


def test_a_defects_picture_goes_only_while_the_fleet_does_not_know_of_it() -> None:
    shift = at_check()
    shift.tap("check.item", item_id="brakes", ok=False)
    shift.tap("check.photo", item_id="brakes")
    shift.give(PhotoMade(attachment("first")))
    shift.tap("check.photo", item_id="brakes")
    shift.give(PhotoMade(attachment("second")))
    assert shift.dropped == [attachment("first").enc_sha256]
    shift.tap("check.submit", all_ok=True)
    shift.tap("check.item", item_id="brakes", ok=True)
    assert shift.dropped == [attachment("first").enc_sha256]


def test_the_load_knows_expected_twice_wrong_and_unknown_parcels() -> None:
    shift = at_load()
    for code, verdict, sound in [
        ("JD-a-1", "ok", "accept"),
        ("JD-a-1", "dup", "duplicate"),
        ("JD-r-1", "wrong", "wrong"),
        ("NOBODY", "unknown", "wrong"),
    ]:
        assert shift.scan(code).sound == sound
        assert shift.d["last"]["verdict"] == verdict
    assert (shift.d["loaded"], shift.d["total"], shift.d["wrong"]) == (1, 4, 2)
    assert shift.d["missing"][0] == {"code": "JD-a-2", "stop_no": 1, "reason": None}


def test_a_parcel_reported_missing_cannot_be_delivered() -> None:
    shift = at_load()
    shift.scan("JD-a-1", "JD-b-1", "JD-b-2")
    shift.tap("load.missing", code="JD-a-2", reason="missing")
    shift.tap("load.done")
    shift.tap("route.stop", stop_id="a")
    shift.tap("pod.start")
    assert shift.scan("JD-a-2").sound == "wrong"
    assert shift.page()["toast"]["key"] == "scan.rejected"
    shift.scan("JD-a-1")
    shift.tap("pod.photo_skip", reason="privacy")
    shift.tap("pod.next")
    shift.tap("pod.confirm")
    shift.tick(5)
    assert [(item.state, item.qty_fact) for item in shift.proofs[0].items] == [("scanned", 1), ("missing", 0)]


def test_a_missing_parcel_that_turns_up_is_loaded() -> None:
    shift = at_load()
    shift.tap("load.missing", code="JD-a-2", reason="missing")
    shift.scan("JD-a-2")
    assert shift.work.load.missing == {}


def test_where_scans_are_required_every_parcel_is_accounted_for_unless_the_camera_is_broken() -> None:
    shift = at_load(proofs=Policy(delivery=EVERYTHING))
    assert shift.refused("load.done") == "load.unaccounted"
    shift.be(camera="unplugged")
    shift.tap("load.done")
    assert (shift.screen, shift.told("load.done")["unscanned"]) == ("route", 4)


def test_arrival_opens_the_stop_once_and_only_when_the_vehicle_stands() -> None:
    shift = on_the_road(stop("a"), stop("b"))
    assert shift.work.run is not None
    place = shift.work.run.plan.stops[0].place
    assert place is not None
    shift.be(position=at(place), moving=True)
    shift.tick()
    assert shift.screen == "route"
    shift.be(moving=None)
    shift.tick()
    assert shift.screen == "route"
    shift.be(moving=False)
    shift.tick()
    assert (shift.screen, shift.events()) == ("stop", ["stop.arrive"])
    shift.tap("ui.back")
    shift.tick()
    assert shift.screen == "route"
    assert shift.events() == ["stop.arrive"]


@pytest.mark.parametrize("changes", [{"age_ms": 60_000}, {"accuracy_m": 900.0}])
def test_an_old_or_vague_position_opens_no_stop(changes: dict[str, float]) -> None:
    shift = on_the_road(stop("a"))
    assert shift.work.run is not None
    place = shift.work.run.plan.stops[0].place
    assert place is not None
    shift.be(position=at(place, **changes))
    shift.tick()
    assert shift.screen == "route"


def test_driving_on_is_a_departure_and_the_next_stop_opens_even_past_one_left_undone() -> None:
    shift = at_the_door(stop("a"), stop("b"))
    assert shift.work.run is not None
    first, second = (other.place for other in shift.work.run.plan.stops)
    assert first is not None
    assert second is not None
    shift.be(position=at(first, lat_deg=first.latitude + 0.001))
    shift.tick()
    assert shift.events() == ["stop.arrive"]
    shift.be(position=at(second))
    shift.tick()
    assert shift.events() == ["stop.arrive", "stop.depart", "stop.arrive"]
    assert shift.d["stop"]["stop_id"] == "b"


def test_while_moving_the_page_shows_the_road_and_afterwards_the_step_again() -> None:
    shift = at_the_door(stop("a"))
    shift.tap("pod.start")
    shift.be(moving=True)
    assert (shift.page()["screen"], shift.page()["moving"], shift.d["locked"]) == ("drive", True, True)
    assert shift.refused("pod.next") == "moving"
    shift.be(moving=False)
    assert shift.page()["screen"] == "scan"


def test_an_override_is_told_and_ends_when_the_vehicle_has_stood() -> None:
    shift = at_the_door(stop("a"))
    assert shift.refused("motion.override") == "override.not_needed"
    shift.be(moving=True)
    shift.tap("motion.override")
    shift.tap("pod.start")
    assert shift.told("motion.override") == {"driver": "ann"}
    shift.be(moving=False)
    shift.tick()
    shift.be(moving=True)
    assert shift.refused("pod.next") == "moving"


def test_messages_are_read_answered_and_left_again() -> None:
    notices = [
        Notice(message_id="m1", t=f"{DAY}T08:00:00.000Z", text="Old"),
        Notice(message_id="m2", t=f"{DAY}T09:00:00.000Z", text="New", urgent=True),
    ]
    shift = at_the_door(stop("a"), messages=notices)
    shift.tap("message.open")
    assert [item["text"] for item in shift.d["items"]] == ["New", "Old"]
    assert shift.refused("message.reply", message_id="m1") == "reply.empty"
    shift.tap("message.reply", message_id="m1", key="reply.traffic")
    shift.tap("message.read", message_id="m2")
    assert shift.told("message.reply") == {"message_id": "m1", "text": None, "key": "reply.traffic"}
    shift.tap("ui.back")
    assert shift.screen == "stop"


def test_the_end_of_the_day_counts_what_was_done_what_is_aboard_and_the_cash() -> None:
    cod = Cod(amount=2_490, currency="EUR")
    shift = on_the_road(stop("a", proofs=PLAIN, cod=cod), stop("b"), stop("c"), cash_float=5_000)
    shift.tap("route.stop", stop_id="a")
    shift.tap("pod.start")
    shift.scan(*codes("a", 2))
    shift.tap("cash.amount", given=3_000)
    shift.tap("cash.method", method="cash")
    shift.tap("cash.taken")
    shift.tap("pod.confirm")
    shift.tap("route.stop", stop_id="b")
    shift.tap("exception.start")
    shift.tap("exception.reason", code="other")
    shift.tap("exception.confirm")
    shift.be(at_ms=NINE_MS + 2 * HOUR_MS, odometer_m=84_293_000.0, queue=4)
    shift.tap("end.open")
    d = shift.d
    assert (d["done"], d["total"], d["failed"], d["stops_per_hour"], d["km"], d["queue"]) == (1, 3, 1, 1.0, 83, 4)
    assert d["cash_expected"] == [{"amount": 7_490, "currency": "EUR", "digits": 2}]
    assert [(parcel["code"], parcel["why"]) for parcel in d["aboard"]] == [
        ("JD-b-1", "failed"), ("JD-b-2", "failed"), ("JD-c-1", "open"), ("JD-c-2", "open"),
    ]  # fmt: skip
    shift.tap("end.cash", counted=7_400)
    assert shift.d["cash_counted"]["amount"] == 7_400
    assert shift.told("cash.counted")["expected"] == d["cash_expected"]


def test_a_tick_with_nothing_to_do_changes_nothing() -> None:
    shift = at_the_door(stop("a"))
    before = shift.work
    assert shift.give(Tick()).work == before


def test_a_stop_without_a_place_is_reached_by_hand() -> None:
    shift = on_the_road(stop("a", place=None))
    shift.be(position=at(HOME))
    shift.tick()
    assert shift.screen == "route"
    shift.tap("route.arrive", stop_id="a")
    assert shift.told("stop.arrive") == {"stop_id": "a", "by": "driver", "place_m": None}
    shift.work = replace(shift.work, face=replace(shift.work.face, screen="drive"))
    shift.tick()
    assert shift.screen == "drive"
