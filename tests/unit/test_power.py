"""The box is switched off by a file that the system waits for, and every reason is in the journal before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.box.power import DEAF_S
from firmware.box.requests import POWER_OFF
from tests.box import STAY_ON_S, Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.journal.close()


def test_the_reason_is_in_the_journal_when_the_box_is_asked_to_switch_off(box: Box) -> None:
    box.wait(5)
    box.panel.ignition = False
    box.wait(STAY_ON_S - 1)
    assert not box.asked(POWER_OFF)
    box.wait(2)
    assert box.asked(POWER_OFF)
    (event,) = box.events()
    assert (event.event, event.data) == ("power.off", {"reason": "ignition", "off_s": 60})


def test_a_lost_supply_is_asked_within_three_seconds(box: Box) -> None:
    box.wait(1)
    box.panel.supply = False
    box.wait(3)
    assert box.asked(POWER_OFF)
    assert [event.data["reason"] for event in box.events()] == ["supply"]


def test_a_proof_is_waited_for(box: Box) -> None:
    box.panel.ignition, box.proving = False, True
    box.wait(STAY_ON_S + 10)
    assert not box.asked(POWER_OFF)
    box.proving = False
    box.wait(1)
    assert box.asked(POWER_OFF)


def test_a_key_turned_before_the_system_went_down_takes_the_wish_back(box: Box) -> None:
    box.panel.ignition = False
    box.wait(STAY_ON_S + 2)
    box.panel.ignition = True
    box.wait(1)
    assert not box.asked(POWER_OFF)
    box.panel.ignition = False
    box.wait(STAY_ON_S + 2)
    assert box.asked(POWER_OFF)
    assert len(box.events()) == 2


def test_a_system_that_does_not_hear_is_told_of_once(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.panel.ignition = False
    box.wait(STAY_ON_S + 3 * DEAF_S)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "the box should switch off and stays on; roadproof-poweroff.path does not answer: systemctl status roadproof-poweroff.path says why"
    ]
    assert len(box.events()) == 1


def test_a_request_that_cannot_be_written_ends_nothing(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    shutil.rmtree(box.folder)
    box.panel.ignition = False
    box.wait(STAY_ON_S + 2)
    assert "the request cannot be written: no such file or directory" in caplog.text
