"""`roadproof enrol`: how a blank box becomes a unit, with a card that is typed, lies on a stick, or is shown to the camera."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cli.daemon import CONFIG
from cli.errors import UsageError
from cli.words import Commands, add
from drivers.board import BoardSettings
from drivers.errors import DriverError
from firmware.config import STATE, TerminalSettings, load_board, load_terminal
from mqtt.settings import SettingsError
from provisioning import source
from provisioning.card import Card, CardError, read_place
from provisioning.enrol import FAULTS, Enrolment
from provisioning.est.client import Est, EstError
from provisioning.est.settings import UnitSettings, read_settings
from provisioning.est.wire import WireError
from provisioning.identity import IN_A_FILE, Identity, hardware_key
from provisioning.source import Sheet, SourceError

STATUS = Path("/run/roadproof-provision/status")
CAMERA_S = 120.0  # a technician finds the paper
NEXT = "next: sudo systemctl restart roadproof, then sudo roadproof selftest"
NEXT_BY_ITSELF = "the daemon starts by itself within seconds; next: sudo roadproof selftest"
SETTINGS_LIMIT_BYTES = 200_000
Tell = Callable[[str], None]


def add_commands(commands: Commands) -> None:
    """Add `enrol`."""
    example = "roadproof enrol 'RP1:est.example.org:8443|van-017|K7PQ...|5WJX...'"
    command = add(commands, "enrol", enrol, "make this box a unit of the fleet, with the card of `roadproof fleet enrol`", example)
    _add_source(command)
    command.add_argument("--est", metavar="URL", help="another EST server than the card's: https://host:port, or host:port")
    command.add_argument("--settings", type=Path, metavar="FILE", help="the unit's settings as JSON, where the EST server has none")
    command.add_argument(
        "--evidence-key", default=IN_A_FILE, metavar="KEY", help="where the key lies that signs proofs: file, pkcs11:... or rpi-otp:1"
    )
    command.add_argument("--burn", action="store_true", help="with rpi-otp: make the key there when there is none, for ever")
    command.add_argument("--state", type=Path, default=STATE, metavar="FOLDER", help=f"where the identity is kept (default {STATE})")
    command.add_argument("--json", action="store_true", help="the result for programs; progress goes to standard error")
    command.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help=f"settings that name the camera (default {CONFIG})")


def _add_source(command: argparse.ArgumentParser) -> None:
    """Where the card comes from."""
    command.add_argument("card", nargs="?", help="the card's text, in quotes; without it a USB stick, then the camera is looked at")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--usb", nargs="?", const="", metavar="PATH", help="only a USB stick: its folder or file, or whichever is plugged in"
    )
    where.add_argument("--camera", action="store_true", help="only the camera")
    where.add_argument("--wait", action="store_true", help="look until the box is enrolled: what its service does before the first start")


def enrol(arguments: argparse.Namespace) -> int:
    """Find a card and become its unit; exit code 1 when that did not work, and the box is as it was."""
    tell = _telling(arguments)
    try:
        hardware_key(arguments.evidence_key)
        if arguments.wait:
            _wait(arguments, tell)
        else:
            enrolment = _enrolment(_card(_found(arguments, tell), tell), arguments, tell)
            _say_done(enrolment.run(), enrolment.take_s, arguments)
    except (*FAULTS, SourceError, DriverError) as error:
        print(f"roadproof enrol: {error}", file=sys.stderr)
        if arguments.wait:
            _leave(str(error))
        return 1
    return 0


def _wait(arguments: argparse.Namespace, tell: Tell) -> None:
    """Look until the box is enrolled."""
    from cli.enrol import waiting

    blank = waiting.Blank(state=arguments.state, board=_board(arguments.config), terminal=_terminal(arguments.config, tell))
    waiting.wait(
        lambda card: _enrolment(card, arguments, tell), blank, tell, lambda identity, take_s: _say_done(identity, take_s, arguments)
    )


def _telling(arguments: argparse.Namespace) -> Tell:
    """A line a step; the newest one also where the screen finds it while the service waits."""

    def tell(line: str) -> None:
        print(line, file=sys.stderr if arguments.json else sys.stdout, flush=True)
        if arguments.wait:
            _leave(line)

    return tell


def _leave(line: str) -> None:
    """Put the newest sentence where a screen finds it."""
    with suppress(OSError):  # without the service's folder there is nobody to read it
        STATUS.write_text(f"{line}\n", encoding="utf-8")


def _found(arguments: argparse.Namespace, tell: Tell) -> Sheet:
    """What was typed, lies on a stick, or is shown to the camera; SourceError when there is nothing."""
    if arguments.card:
        return _read(arguments.card)
    if arguments.usb:
        return source.read_stick(Path(arguments.usb))
    stick = None if arguments.camera else next(source.sticks(), None)
    if stick is not None:
        tell(f"the card comes from {stick}")
        return source.read_stick(stick)
    if arguments.usb is not None:
        raise SourceError(f"no USB stick with {source.FILE} is mounted: plug one in, or name its folder with --usb PATH")
    return _shown(arguments, tell)


def _read(text: str) -> Sheet:
    sheet = source.read_text(text)
    if sheet is None:
        raise SourceError("this is no enrolment code: it begins with RP1: and comes from `roadproof fleet enrol`")
    return sheet


def _shown(arguments: argparse.Namespace, tell: Tell) -> Sheet:
    """The card that is held before the camera; a network that is held there first is joined."""
    from cli.enrol import sight

    tell("hold the enrolment code before the camera")
    with sight.opened(_board(arguments.config)) as eye:
        seen = set[str]()
        for text in eye.look(CAMERA_S):
            if text in seen:  # a code stays in sight for many pictures
                continue
            seen.add(text)
            try:
                sheet = source.read_text(text) or Sheet()
                if sheet.card is not None:
                    return sheet
                join(sheet, tell)
            except SourceError as error:  # misread, or a network out of reach: the next code may do better
                tell(str(error))
        raise SourceError(
            eye.sentence or f"no enrolment code was seen within {CAMERA_S:.0f} s: hold it flat, in good light, a hand's width away"
        )


def _board(config: Path) -> BoardSettings:
    try:
        return load_board(config)
    except SettingsError as error:
        if not config.exists():
            return BoardSettings()
        raise SourceError(error.faults[0]) from None


def _terminal(config: Path, tell: Tell) -> TerminalSettings:
    """How the screen is to be; a mistake there is the daemon's to insist on, and keeps no box from its fleet."""
    try:
        return load_terminal(config)
    except SettingsError as error:
        if config.exists():
            tell(error.faults[0])
        return TerminalSettings()


def join(sheet: Sheet, tell: Tell) -> None:
    """Join the network of a sheet that names one; SourceError says why not."""
    if sheet.wifi is not None:
        tell(f"joining {sheet.wifi.ssid}")
        source.join(sheet.wifi)
        tell(f"joined {sheet.wifi.ssid}")


def _card(sheet: Sheet, tell: Tell) -> Card:
    join(sheet, tell)
    if sheet.card is None:
        raise SourceError("this is the code of a Wi-Fi network: the enrolment code, which begins with RP1:, comes next")
    return sheet.card


def _enrolment(card: Card, arguments: argparse.Namespace, tell: Tell) -> Enrolment:
    return Enrolment(
        card,
        state=arguments.state,
        tell=tell,
        est=_est(arguments.est),
        settings=_settings(arguments.settings),
        evidence_key=arguments.evidence_key,
        burn=arguments.burn,
    )


def _est(place: str | None) -> Est | None:
    if place is None:
        return None
    try:
        return Est.at(place) if "://" in place else Est(*read_place(place))
    except (CardError, EstError) as error:
        raise UsageError(str(error)) from None


def _settings(path: Path | None) -> UnitSettings | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return read_settings(file.read(SETTINGS_LIMIT_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except WireError as error:
        raise UsageError(f"{path}: {error}") from None


def _say_done(identity: Identity, take_s: float, arguments: argparse.Namespace) -> None:
    how_long = f" in {take_s:.1f} s" if take_s else " already"
    if arguments.json:
        result = {"unit": identity.unit, "vehicle": identity.vehicle, "enrolled_at": identity.enrolled_at, "take_s": round(take_s, 3)}
        print(json.dumps(result))
        return
    _telling(arguments)(f"enrolled as {identity.unit}{how_long}")
    print(NEXT_BY_ITSELF if STATUS.parent.exists() else NEXT)  # the folder of the service that waits, and then has the daemon started
