"""The screen of a blank box: each moment of an enrolment has one scene, and a box without a page says how to get one."""

from __future__ import annotations

from typing import Any

import pytest

from firmware.kiosk.reception import Box, Reception


@pytest.fixture
def reception() -> Reception:
    return Reception(Box(serial="1000", version="0.1.0", page_follows=True), "de")


def shown(reception: Reception) -> dict[str, Any]:
    data: dict[str, Any] = reception.view()["d"]
    return data


def tap(reception: Reception, name: str, **data: str) -> int:
    return reception.command(name, data, command_id="12345678").status


def test_it_begins_by_asking_in_the_language_of_the_settings(reception: Reception) -> None:
    assert (reception.view()["lang"], shown(reception)["phase"]) == ("de", "wait")


def test_a_change_is_told_to_the_pages_once_and_what_is_the_same_is_none(reception: Reception) -> None:
    rung: list[int] = []
    reception.listen(lambda: rung.append(reception.seq))
    for _ in range(3):
        reception.refuse("the code has expired")
    assert rung == [2]


def test_steps_are_done_one_after_the_other(reception: Reception) -> None:
    reception.begin("van-017")
    assert [step["state"] for step in shown(reception)["steps"]] == ["now", "todo", "todo", "todo"]
    reception.reach("keys")
    assert [step["state"] for step in shown(reception)["steps"]] == ["done", "done", "now", "todo"]


def test_what_went_wrong_stays_while_the_same_card_is_tried_again_until_it_gets_further(reception: Reception) -> None:
    reception.begin("van-017")
    reception.refuse("nobody answers", again=True)
    assert (shown(reception)["phase"], shown(reception)["said"]["again"]) == ("wait", True)
    reception.reach("answers")
    assert (shown(reception)["phase"], shown(reception)["said"]) == ("work", None)


def test_a_network_takes_the_trouble_before_it_away(reception: Reception) -> None:
    reception.refuse("nobody answers")
    reception.join("Depot")
    reception.joined()
    assert (shown(reception)["network"], shown(reception)["said"]) == ("Depot", None)


@pytest.mark.parametrize("follows", [True, False])
def test_the_last_scene_stays_where_no_page_follows(*, follows: bool) -> None:
    reception = Reception(Box(serial="", version="0.1.0", page_follows=follows))
    assert not reception.view()["stays"]
    reception.become(unit="van-017", vehicle="van-017", fingerprint="A" * 26)
    assert reception.view()["stays"] is not follows


def test_the_technician_chooses_a_language_and_taps_on_and_nothing_else_can_be_asked(reception: Reception) -> None:
    assert tap(reception, "ui.lang", lang="ar") == 200
    assert reception.view()["lang"] == "ar"
    assert [tap(reception, "ui.lang", lang="xx"), tap(reception, "pod.start"), reception.photo(b"").status] == [409, 409, 409]
    assert not reception.went_on.is_set()
    assert tap(reception, "enrol.on") == 200
    assert reception.went_on.is_set()
    assert (reception.wants(), reception.picture("0" * 64)) == (None, None)
