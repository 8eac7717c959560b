"""A commissioning report on its way: signed on the unit, sent, kept by the fleet, printed, and checked by a stranger."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cli import verify
from cli.errors import UsageError
from cli.fleet import reports
from mqtt.evidence import report
from mqtt.evidence.report import Paper
from mqtt.messages import Event, encode
from provisioning.report import extract, pdf
from tests.reports import whole
from tests.system.notaries import BOOT, LOG, UNIT, Desk, Pen, World
from tests.system.stores import SqlitePlace


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(world, SqlitePlace(tmp_path))
    yield made
    made.store.close()


@pytest.fixture
def pen(world: World) -> Pen:
    return world.pen()


def signed(pen: Pen) -> Paper:
    made = whole(unit=pen.unit)
    return report.signed(made, pen.signer, unit=(pen.home / "unit.pem").read_bytes(), issuing=(pen.home / "issuing.pem").read_bytes())


def send(desk: Desk, paper: Paper, seq: int = 1) -> None:
    event = Event(
        unit=UNIT, boot=BOOT, log=LOG, seq=seq, t="2026-12-01T10:00:00.000Z", src="gnss", mono_ms=5, event="unit.commissioned",
        data={"rec": paper.rec, "jws": paper.jws},
    )  # fmt: skip
    desk.take("up/event", encode(event))


def typed(words: Sequence[str | Path]) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for part in (verify, reports):
        part.add_commands(commands)
    arguments = parser.parse_args([str(word) for word in words])
    return int(arguments.run(arguments))


def test_the_fleet_prints_the_report_that_the_unit_signed(desk: Desk, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paper = signed(pen)
    send(desk, paper)
    assert typed(["report", UNIT, "-o", tmp_path / "report.pdf", "--config", desk.config]) == 1  # its ignition does not work
    assert f"The report holds. Fingerprint {paper.fingerprint}" in capsys.readouterr().out
    assert extract((tmp_path / "report.pdf").read_bytes()) == paper


def test_a_stranger_checks_the_pdf_off_line(world: World, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf(signed(pen)))
    assert typed(["verify", tmp_path / "report.pdf", "--root", world.root]) == 0
    said = capsys.readouterr().out
    assert "note: ignition bad: The key did not turn: check the wire on pin 11 (GPIO 17)." in said
    assert said.endswith("The report holds.\n")


def test_the_kept_json_becomes_a_page_again(world: World, pen: Pen, tmp_path: Path) -> None:
    paper = signed(pen)
    (tmp_path / "report.json").write_bytes(report.write_paper(paper))
    assert typed(["verify", tmp_path / "report.json", "--root", world.root, "--page", tmp_path / "page.pdf"]) == 0
    assert extract((tmp_path / "page.pdf").read_bytes()) == paper


def test_a_forged_report_does_not_hold_and_is_not_drawn(world: World, pen: Pen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forged = report.write_paper(signed(pen)).replace(b'\\"state\\":\\"bad\\"', b'\\"state\\":\\"ok\\"')
    (tmp_path / "report.json").write_bytes(forged)
    assert typed(["verify", tmp_path / "report.json", "--root", world.root, "--json", "--page", tmp_path / "page.pdf"]) == 1
    assert json.loads(capsys.readouterr().out)["good"] is False
    assert not (tmp_path / "page.pdf").exists()


def test_a_pdf_that_is_no_report_is_a_finding(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.4 rubbish")
    assert typed(["verify", tmp_path / "letter.pdf", "--root", world.root]) == 1
    assert "BAD:  The report cannot be read: the PDF" in capsys.readouterr().out


def test_the_newest_report_counts(desk: Desk, pen: Pen, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = signed(pen), signed(pen)
    send(desk, first, 1)
    send(desk, second, 2)
    typed(["report", UNIT, "--config", desk.config, "--json"])
    assert json.loads(capsys.readouterr().out)[0]["fingerprint"] == second.fingerprint


def test_a_unit_that_sent_none_says_how_to_make_one(desk: Desk, pen: Pen) -> None:
    desk.take(
        "up/event", encode(Event(unit=UNIT, boot=BOOT, log=LOG, seq=1, t="2026-12-01T10:00:00.000Z", src="gnss", mono_ms=5, event="a"))
    )
    with pytest.raises(UsageError, match="has sent no report yet"):
        typed(["report", UNIT, "--config", desk.config])


def test_a_report_that_another_unit_signed_is_refused(desk: Desk, world: World, pen: Pen) -> None:
    other = world.pen("van-99")
    send(desk, signed(other))
    with pytest.raises(UsageError, match="does not hold"):
        typed(["report", UNIT, "--config", desk.config])
