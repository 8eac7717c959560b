"""Parcels at the door: read, typed, wrong, twice, short, rejected, fetched, counted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from firmware.day.record import MOST_BYTES
from mqtt.run import Cod, Line
from tests.runs import EVERYTHING, PLAIN, Shift, at_the_door, on_the_road, run, stop

EUR = Cod(amount=2_490, currency="EUR")


def begun(**changes: Any) -> Shift:
    shift = at_the_door(stop("a", **changes), stop("b"))
    shift.tap("pod.start")
    return shift


def confirmed(shift: Shift) -> Shift:
    shift.tap("pod.confirm")
    shift.tick(5)
    assert len(shift.proofs) == 1
    return shift


def test_a_wrong_parcel_says_which_stop_it_belongs_to() -> None:
    shift = begun()
    assert shift.scan("JD-b-1").sound == "wrong"
    toast = shift.page()["toast"]
    assert (toast["key"], toast["args"]) == ("scan.wrong", {"stop": 2})
    assert shift.d["last"]["verdict"] == "wrong"


def test_a_parcel_read_twice_counts_once() -> None:
    shift = begun()
    shift.scan("JD-a-1")
    assert shift.scan("JD-a-1").sound == "duplicate"
    assert shift.d["done"] == 1


@pytest.mark.parametrize("code", ["JD\x00a-1", "JD-a-1\n", "\x1b[2J", "a\x7f", "a\ud800"])
def test_a_code_with_control_characters_is_refused_with_a_sentence(code: str) -> None:
    refusal = begun().scan(code).refusal
    assert refusal is not None
    assert refusal.key == "scan.control"


def test_a_code_can_be_typed_and_the_record_says_so() -> None:
    shift = begun(proofs=PLAIN)
    shift.tap("pod.typed", code=" JD-a-1 ")
    shift.scan("JD-a-2")
    assert [item.sym for item in confirmed(shift).proofs[0].items] == ["typed", "code128"]


def test_codes_match_by_identity_and_not_by_their_writing() -> None:
    shift = on_the_road(stop("a", proofs=PLAIN))
    shift.be(identity=lambda text: text.replace(" ", "").lower())
    shift.arrives(run(stop("a", proofs=PLAIN, note="changed"), n=2))
    shift.tap("run.accept")
    shift.tap("route.stop", stop_id="a")
    shift.tap("pod.start")
    shift.tap("pod.typed", code="jd-A -1")
    assert shift.d["last"] == {"code": "JD-a-1", "verdict": "ok", "stop_no": None}


def test_fewer_pieces_make_a_partial_delivery_with_a_reason() -> None:
    shift = begun(proofs=PLAIN, lines=[Line(line_id="1", name="Crate", qty=5), Line(line_id="2", name="Box", codes=["X"])])
    shift.scan("X")
    assert shift.refused("pod.line", line_id="1", qty_fact=3) == "reason.needed"
    shift.tap("pod.line", line_id="1", qty_fact=3, reason="damaged")
    proof = confirmed(shift).proofs[0]
    assert [(item.qty, item.qty_fact, item.reason) for item in proof.items] == [(5, 3, "damaged"), (1, 1, None)]
    assert shift.page()["d"]["stops"][0]["state"] == "partial"


def test_a_shortage_takes_parcels_that_were_not_read() -> None:
    shift = begun(proofs=EVERYTHING)
    shift.scan("JD-a-2")
    assert shift.refused("pod.line", line_id="1", qty_fact=0, reason="damaged") == "line.scanned"
    shift.tap("pod.line", line_id="1", qty_fact=1, reason="damaged")
    assert shift.screen == "photo"


def test_a_rejected_line_leaves_the_rest_to_be_delivered() -> None:
    lines = [Line(line_id="1", name="Good", codes=["G"]), Line(line_id="2", name="Broken", codes=["B"])]
    shift = begun(proofs=PLAIN, lines=lines)
    shift.tap("exception.start", scope="parcel", line_id="2")
    shift.tap("exception.reason", code="damaged")
    assert shift.refused("exception.confirm") == "photo.needed"
    shift.shoot("broken")
    shift.tap("exception.confirm")
    assert shift.screen == "scan"
    shift.scan("G")
    proof = confirmed(shift).proofs[0]
    assert (proof.outcome, len(proof.attachments)) == ("delivered_to_recipient", 1)
    assert [(item.state, item.reason) for item in proof.items] == [("scanned", None), ("rejected", "damaged")]


def test_rejecting_the_last_line_fails_the_stop() -> None:
    shift = begun(proofs=PLAIN)
    shift.tap("exception.start", scope="parcel", line_id="1")
    shift.tap("exception.reason", code="refused")
    shift.tap("exception.confirm")
    shift.tick(5)
    assert (shift.proofs[0].outcome, shift.proofs[0].recipient) == ("failed_refused", None)


def test_goods_that_come_back_are_graded_and_what_is_not_there_is_missing_from_the_count() -> None:
    shift = begun(service="return", proofs=PLAIN)
    shift.scan("JD-a-1")
    shift.tap("return.grade", code="JD-a-1", grade="worn")
    assert shift.refused("return.grade", code="JD-a-2", grade="good") == "scan.first"
    shift.tap("return.absent", code="JD-a-2")
    proof = confirmed(shift).proofs[0]
    assert proof.outcome == "picked_up_from_customer"
    assert [(item.grade, item.qty_fact, item.reason) for item in proof.items] == [("worn", 1, None), (None, 0, "not_there")]


def test_a_pickup_without_codes_counts_what_is_read() -> None:
    shift = begun(service="pickup", proofs=PLAIN, lines=[Line(line_id="1", name="Parcels", qty=3)])
    shift.scan("NEW-1", "NEW-2", "NEW-2")
    assert (shift.d["done"], shift.d["total"]) == (2, 3)
    shift.tap("pod.next")
    items = confirmed(shift).proofs[0].items
    assert [(item.code, item.qty, item.qty_fact) for item in items] == [("NEW-1", 1, 1), ("NEW-2", 1, 1), (None, 1, 0)]


@pytest.mark.parametrize(("lines", "pieces"), [(1, 900), (400, 2)])
def test_a_stop_of_hundreds_of_parcels_still_fits_into_one_record(lines: int, pieces: int) -> None:
    long = "X" * 90
    goods = [Line(line_id=f"l{line}", name="P", qty=pieces, codes=[f"{long}{line}-{n}" for n in range(pieces)]) for line in range(lines)]
    shift = begun(proofs=PLAIN, lines=goods)
    shift.scan(f"{long}0-0")
    shift.tap("pod.next")
    items = confirmed(shift).proofs[0].items
    assert sum(item.qty_fact for item in items) == lines * pieces
    assert {item.state for item in items} == {"scanned", "unscanned"}
    assert len({item.code for item in items}) == lines * pieces
    assert len(msgspec.json.encode(items)) <= MOST_BYTES
    shift.tap("end.open")
    assert [parcel["stop_no"] for parcel in shift.d["aboard"]] == [2, 2]
