"""The vehicle's power goes, and a real system shuts itself down: the journal closed, the reason in it, within half a minute."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from firmware.box.power import KEY_S
from firmware.journal.look import JournalLook
from mqtt import messages
from tests.eventually import eventually
from tests.power.bench import Bench

pytestmark = pytest.mark.timeout(900)  # the first time it makes a root file system
LIMIT_S = 30.0  # hardware/wiring.md: from the wish until the supply may be cut


def events(journal: Path) -> list[messages.Event]:
    with JournalLook(journal / "journal.db") as look:
        rows = [row for row, good in look.rows() if good and row.kind == "event"]
        return [msgspec.json.decode(row.payload, type=messages.Event) for row in rows]


def test_a_box_without_power_closes_its_journal_and_switches_itself_off(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Bench(tmp_path, root) as bench:
        assert bench.hands.feed(good=True)
        bench.hands.turn_key(on=True)
        eventually(lambda: bench.status().ignition, 20)
        fed_ms = bench.status().at_ms
        eventually(lambda: bench.status().at_ms > fed_ms + 2_000 * KEY_S, 20)  # it has looked at its supply meanwhile
        assert bench.property("roadproof-kiosk.path", "ActiveState") == "inactive"  # no browser is installed: skipped, not failed
        began_s = time.monotonic()
        assert bench.hands.feed(good=False)
        eventually(lambda: not bench.is_on(), LIMIT_S)
        took_s = time.monotonic() - began_s
    with capsys.disabled():
        print(f"\nsupply lost -> switched off in {took_s:.1f} s")
    assert not (bench.journal / "journal.db-wal").exists()  # the orderly end has put everything into the one file
    noted = events(bench.journal)
    assert [event.event for event in noted][-2:] == ["power.ext_lost", "power.off"]
    assert noted[-1].data["reason"] == "supply"
