"""The self-test behind the technician's page, and the report that the unit signs of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from firmware.clock import Clock
from firmware.selftest.commissioning import KEPT, Papers, vehicle_of
from firmware.selftest.finding import KEYS, Finding, Prompt, Touch
from firmware.status import PositionStatus
from firmware.terminal.inspection import No
from mqtt.evidence import EvidenceError, report
from tests.benches import Bench
from tests.proofs import UNIT

GOOD_TOUCH = Touch(targets=9, hit=9, worst_px=14, breaks=0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_findings_come_one_after_the_other_in_the_order_of_the_wires(bench: Bench) -> None:
    bench.inspection.start()
    bench.step()
    state = bench.inspection.state()
    assert ([found["key"] for found in state["findings"]], state["running"]) == (["gnss"], True)
    bench.end()
    assert [found["key"] for found in bench.inspection.state()["findings"]] == list(KEYS)


def test_what_the_technician_is_to_do_is_shown_until_its_finding_comes(bench: Bench) -> None:
    bench.tests.prompts["gnss"] = Prompt("gnss", "Turn it.", 20)
    bench.inspection.start()
    bench.step()
    state = bench.inspection.state()
    assert (state["prompt"], state["findings"]) == ({"prompt": "gnss", "sentence": "Turn it.", "seconds": 20}, [])
    bench.step()
    state = bench.inspection.state()
    assert (state["prompt"], len(state["findings"])) == (None, 1)


def test_a_run_under_way_is_not_begun_twice(bench: Bench) -> None:
    bench.inspection.start()
    assert bench.inspection.start() is No.RUNNING
    assert bench.inspection.report() is No.RUNNING


def test_a_test_from_the_keyboard_goes_first_and_the_page_says_so(bench: Bench) -> None:
    bench.tests.busy = True
    assert bench.run() == []
    assert bench.inspection.state()["trouble"] == "Another self-test is running."
    bench.tests.busy = False
    bench.run()
    assert bench.inspection.state()["trouble"] == ""


def test_an_orderly_end_lets_go_of_a_run_under_way(bench: Bench) -> None:
    bench.inspection.start()
    bench.step()
    bench.inspection.finish()
    assert bench.inspection._rest is not None
    assert list(bench.inspection._rest) == []


def test_nothing_is_tested_while_the_vehicle_moves(bench: Bench) -> None:
    bench.status = replace(bench.status, moving=True)
    assert bench.inspection.start() is No.MOVING
    assert bench.inspection.touch(GOOD_TOUCH) is No.MOVING
    assert bench.tests.runs == 0


def test_a_touch_test_stands_when_all_is_run_again(bench: Bench) -> None:
    bench.inspection.touch(GOOD_TOUCH)
    found = {one["key"]: one["state"] for one in bench.run()}
    assert (found["touch"], bench.tests.measured) == ("ok", GOOD_TOUCH)


def test_there_is_no_report_of_half_a_test(bench: Bench) -> None:
    assert bench.inspection.report() is No.NOTHING
    bench.inspection.touch(GOOD_TOUCH)
    assert bench.inspection.report() is No.NOTHING
    assert bench.fleet.told == []


def test_the_fleet_is_told_exactly_what_was_found(bench: Bench) -> None:
    position = PositionStatus(at_ms=1, mono_s=Clock().mono_s(), lat_deg=51.0502, lon_deg=3.7301, alt_m=9.0, sats=11, accuracy_m=3.6)
    bench.status = replace(bench.status, has_fix=True, position=position)
    found = bench.run()
    assert bench.inspection.report() is None
    told = bench.report()
    assert [(line.key, line.state, line.text) for line in told.findings] == [(one["key"], one["state"], one["sentence"]) for one in found]
    assert (told.unit, told.board["board"], told.pos and told.pos.lat_e7) == (UNIT, "Raspberry Pi 5", 510_502_000)


def test_a_part_that_nobody_tested_stands_in_the_report_as_such(bench: Bench) -> None:
    bench.commissioning().report([Finding("gnss", "ok", "A fix.", {}, 1)])
    told = {line.key: line.state for line in bench.report().findings}
    assert told == {key: "ok" if key == "gnss" else "skipped" for key in KEYS}


def test_an_old_position_is_not_signed(bench: Bench) -> None:
    bench.status = replace(bench.status, has_fix=True, position=PositionStatus(at_ms=1, mono_s=-1e6, lat_deg=51.0, lon_deg=3.0))
    bench.run()
    bench.inspection.report()
    assert bench.report().pos is None


def test_the_page_learns_where_the_report_is_and_how_to_compare_it(bench: Bench) -> None:
    bench.run()
    bench.inspection.report()
    told = bench.inspection.state()["report"]
    kept = report.read_paper(Path(told["file"]).read_bytes())
    assert (told["fingerprint"], told["state"]) == (kept.fingerprint, "ok")
    assert report.judge(kept, bench.keys.authorities.root).good


def test_a_report_is_gone_from_the_page_once_something_newer_was_found(bench: Bench) -> None:
    bench.run()
    bench.inspection.report()
    bench.inspection.touch(GOOD_TOUCH)
    assert bench.inspection.state()["report"] is None


def test_a_full_card_costs_the_file_and_not_the_report(bench: Bench) -> None:
    bench.folder.write_text("no folder")
    bench.run()
    assert bench.inspection.report() is None
    assert bench.report().state == "ok"


def test_only_the_newest_reports_stay_on_the_card(bench: Bench) -> None:
    findings = [msgspec.convert(one, Finding) for one in bench.run()]
    commissioning = bench.commissioning()
    newest = [commissioning.path(commissioning.report(findings)) for _ in range(KEPT + 2)][-1]
    assert len(list(bench.folder.iterdir())) == KEPT
    assert newest.exists()


def test_a_unit_without_a_key_says_what_to_do(bench: Bench) -> None:
    bench.papers = None
    bench.run()
    with pytest.raises(EvidenceError, match="roadproof enrol"):
        bench.inspection.report()


def test_a_missing_certificate_is_a_sentence(bench: Bench, tmp_path: Path) -> None:
    bench.papers = Papers(signer=lambda: bench.keys.signer, certificate=tmp_path / "none.pem", issuing=tmp_path / "none.pem")
    bench.run()
    with pytest.raises(EvidenceError, match=r"none\.pem cannot be read"):
        bench.inspection.report()


def test_the_vehicle_is_the_one_that_the_unit_was_enrolled_for(tmp_path: Path) -> None:
    assert vehicle_of(tmp_path) is None
    (tmp_path / "identity.json").write_text('{"unit":"van-17-2","vehicle":"van-17","est":null}')
    assert vehicle_of(tmp_path) == "van-17"
    (tmp_path / "identity.json").write_text("torn")
    assert vehicle_of(tmp_path) is None
