"""Several codes in one picture, and codes that may be misread: what is taken, what the driver is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from firmware.day import scanning
from firmware.day.progress import Load
from firmware.day.work import Face, Result, Scanned, ScannedTogether
from mqtt.run import Line
from tests.runs import PLAIN, Shift, at_the_door, on_the_road, stop


def read(code: str, *, sure: bool = True) -> Scanned:
    return Scanned(code, "EAN13" if not sure else "code128", code, sure)


def begun(**changes: Any) -> Shift:
    shift = at_the_door(stop("a", **changes), stop("b"))
    shift.tap("pod.start")
    return shift


def together(shift: Shift, *codes: str) -> Result:
    return shift.give(ScannedTogether(tuple(read(code) for code in codes)))


def offered(shift: Shift) -> list[str] | None:
    overlay = shift.page()["overlay"]
    return overlay["codes"] if overlay and overlay["kind"] == "choice" else None


def test_of_several_codes_the_one_that_is_waited_for_is_taken() -> None:
    shift = begun()
    assert together(shift, "420 12345", "JD-b-1", "JD-a-1").sound == "accept"
    assert offered(shift) is None
    assert shift.d["done"] == 1


def test_of_several_that_are_waited_for_the_driver_taps_one() -> None:
    shift = begun()
    assert together(shift, "JD-a-2", "420 12345", "JD-a-1").sound == "duplicate"
    assert offered(shift) == ["JD-a-2", "JD-a-1"]
    assert scanning.is_choosing(shift.work)
    assert shift.d["done"] == 0
    shift.tap("scan.choose", n=1)
    assert shift.d["last"]["code"] == "JD-a-1"
    assert offered(shift) == ["JD-a-2"], "the other one still lies there"
    shift.tap("scan.choose", n=0)
    assert (shift.screen, offered(shift)) == ("photo", None)


def test_a_choice_ends_by_none_by_a_scan_and_by_leaving_the_screen() -> None:
    shift = begun()
    ends: list[Callable[[], Result]] = [lambda: shift.tap("scan.none"), lambda: shift.scan("JD-b-1"), lambda: shift.tap("pod.back")]
    for end in ends:
        together(shift, "JD-a-1", "JD-a-2")
        assert offered(shift) == ["JD-a-1", "JD-a-2"]
        end()
        assert offered(shift) is None
    assert shift.refused("scan.choose", n=0) == "command.not_now"


def test_what_was_not_offered_cannot_be_chosen() -> None:
    shift = begun()
    together(shift, "JD-a-1", "JD-a-2")
    assert shift.refused("scan.choose", n=2) == "command.not_now"
    assert shift.refused("scan.choose", n=-1) == "command.ill_formed"
    assert shift.refused("scan.choose", n=8) == "command.ill_formed"


def test_several_of_which_none_is_waited_for_get_one_answer() -> None:
    shift = begun()
    together(shift, "420 12345", "JD-b-1")
    assert shift.d["last"] == {"code": "JD-b-1", "verdict": "wrong", "stop_no": 2}
    together(shift, "420 12345", "more")
    assert shift.d["last"]["verdict"] == "unknown"
    shift.scan("JD-a-1")
    assert together(shift, "420 12345", "JD-a-1").sound == "duplicate"


def test_odd_codes_among_several_are_passed_over() -> None:
    shift = begun()
    together(shift, "JD\x00", "JD-a-1", " \x07")
    assert shift.d["last"]["code"] == "JD-a-1"
    refusal = together(shift, "JD\x00", "a\x7f").refusal
    assert refusal is not None
    assert refusal.key == "scan.control"


def test_where_parcels_are_only_counted_every_new_code_may_be_meant() -> None:
    shift = begun(service="pickup", proofs=PLAIN, lines=[Line(line_id="1", name="Parcels", qty=3)])
    together(shift, "NEW-1", "NEW-2")
    assert offered(shift) == ["NEW-1", "NEW-2"]
    shift.tap("scan.choose", n=0)
    together(shift, "NEW-1", "NEW-2")
    assert offered(shift) is None
    assert [extra["code"] for extra in shift.d["extras"]] == ["NEW-1", "NEW-2"]


def test_a_doubtful_code_counts_where_the_list_of_parcels_confirms_it() -> None:
    shift = begun()
    assert shift.give(read("JD-a-1", sure=False)).sound == "accept"
    result = shift.give(read("4006381333931", sure=False))
    assert result.sound == "wrong"
    assert shift.page()["toast"]["key"] == "scan.unsure"
    assert result.notes == []
    assert shift.d["last"]["code"] == "JD-a-1", "nothing is said of a parcel that may not exist"


def test_where_no_list_confirms_it_the_driver_does() -> None:
    shift = begun(service="pickup", proofs=PLAIN, lines=[Line(line_id="1", name="Parcels", qty=3)])
    shift.give(read("4006381333931", sure=False))
    assert offered(shift) == ["4006381333931"]
    assert shift.d["done"] == 0
    shift.tap("scan.choose", n=0)
    assert shift.d["done"] == 1


def test_loading_takes_the_parcel_that_is_not_loaded_yet() -> None:
    shift = on_the_road(stop("a"), stop("b"))
    shift.work = replace(shift.work, face=Face(screen="load"), load=Load())
    together(shift, "JD-a-1", "JD-b-1")
    assert offered(shift) == ["JD-a-1", "JD-b-1"]
    shift.tap("scan.choose", n=1)
    shift.tap("scan.none")
    together(shift, "JD-a-1", "JD-b-1")
    assert sorted(shift.work.load.loaded) == ["JD-a-1", "JD-b-1"]
    shift.give(read("4006381333931", sure=False))
    assert shift.work.load.wrong == 0


def test_a_badge_is_held_alone() -> None:
    shift = on_the_road(stop("a"))
    shift.work = replace(shift.work, face=Face(screen="signin"))
    refusal = together(shift, "A", "B").refusal
    assert refusal is not None
    assert refusal.key == "scan.one_alone"


def test_a_wrong_label_that_is_read_again_and_again_is_told_the_fleet_once() -> None:
    shift = on_the_road(stop("a"))
    shift.work = replace(shift.work, face=Face(screen="load"), load=Load())
    for _ in range(3):
        assert shift.scan("NOT-OURS").sound == "wrong"
    shift.scan("ALSO-NOT-OURS")
    assert shift.d["wrong"] == 2
    assert [note.data["code"] for note in shift.notes if note.event == "load.wrong"] == ["NOT-OURS", "ALSO-NOT-OURS"]
