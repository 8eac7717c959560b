"""Who belongs to the fleet: `fleet init`, `enrol`, `revoke`, `replace`, `access`, `renew-access`."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import UsageError
from cli.fleet.printing import print_table, write_file
from cli.words import Commands, Run, add, time_text
from mqtt.settings import SettingsError
from provisioning.card import Card, CardError, read_place

if TYPE_CHECKING:
    from provisioning.authority.folder import Fleet
    from provisioning.authority.register import UnitEntry

DEFAULT_FLEET = Path("/var/lib/roadproof-authority")
QR_QUIET_MODULES = 4  # the light edge that readers need
PNG_SCALE = 8
RELOAD = ("systemctl", "reload", "mosquitto")
RELOADER = Path("/usr/lib/systemd/system/roadproof-authority-reload.path")  # where it is installed it reloads the broker when it is asked
ASK_RELOADER = ("touch", "/run/roadproof-authority/reload")


def add_commands(group: Commands) -> None:
    """Add init, enrol, revoke, replace, access and renew-access."""
    _add_init(group)
    _add_cards(group)
    example = "roadproof fleet revoke van-017 --reason stolen"
    command = add(group, "revoke", _sentenced(run_revoke), "shut a unit out, at once and for good", example)
    command.add_argument("unit", metavar="UNIT", help="the unit; svc-receiver or svc-operator get a new key instead")
    command.add_argument("--reason", metavar="TEXT", default="revoked", help="why, for the register")
    _add_fleet(command)
    command = add(group, "access", _sentenced(run_access), "who may come in, and what runs out when", "roadproof fleet access")
    command.add_argument("--json", action="store_true", help="for programs")
    _add_fleet(command)
    about = "a new key for the signing of receipts: units learn it, two months later it is in use"
    command = add(group, "renew-receiver", _sentenced(run_renew_receiver), about, "roadproof fleet renew-receiver --stolen")
    command.add_argument("--stolen", action="store_true", help="use it at once, and have no unit believe the old one any longer")
    _add_fleet(command)
    about = "renew revocation lists, and the fleet's own certificates that end soon"
    _add_fleet(add(group, "renew-access", _sentenced(run_renew), about, "roadproof fleet renew-access"))


def _add_init(group: Commands) -> None:
    example = "roadproof fleet init /var/lib/roadproof-authority --broker mqtt.example.org"
    command = add(group, "init", _sentenced(run_init), "make a fleet: authority, broker configuration, access rules", example)
    command.add_argument("folder", metavar="FOLDER", type=Path, help="an empty folder, or one that is not there yet")
    command.add_argument("--broker", metavar="HOST[:PORT]", required=True, help="where units reach the broker; port 8883 when absent")
    command.add_argument("--est", metavar="HOST[:PORT]", help="where units enrol; the broker's host and port 8443 when absent")
    command.add_argument("--fleet-port", metavar="PORT", type=int, default=8884, help="the broker's port for the fleet's own programs")
    command.add_argument("--crl-url", metavar="URL", help="where the revocation list can be had; on the enrolment server when absent")
    command.add_argument("--name", metavar="NAME", default="Roadproof", help="the fleet's name in its certificates")


def _add_cards(group: Commands) -> None:
    example = "roadproof fleet enrol van-017 --png van-017.png"
    enrol = add(group, "enrol", _sentenced(run_enrol), "make the one-time code with which a blank unit joins", example)
    enrol.add_argument("vehicle", metavar="VEHICLE", help="what the office calls the vehicle, like van-017")
    enrol.add_argument("--replace", metavar="UNIT", help="take this unit of the vehicle out of the fleet first")
    example = "roadproof fleet replace van-017 --reason 'screen broken'"
    replace = add(group, "replace", _sentenced(run_replace), "shut a unit out, and make the code for the next one of its vehicle", example)
    replace.add_argument("unit", metavar="UNIT", help="the unit that goes")
    for command in (enrol, replace):
        command.add_argument("--reason", metavar="TEXT", default="replaced", help="why the old one goes, for the register")
        command.add_argument("--png", metavar="FILE", type=Path, help="write the QR as a picture too")
        command.add_argument("--json", action="store_true", help="for programs")
        _add_fleet(command)


def _add_fleet(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--fleet", metavar="FOLDER", type=Path, default=DEFAULT_FLEET, help=f"the fleet's folder (default {DEFAULT_FLEET})"
    )


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[Fleet]:
    from provisioning.authority.acting import as_owner  # here: the receiver's command must not carry an authority
    from provisioning.authority.folder import Fleet

    with as_owner(arguments.fleet), Fleet.open(arguments.fleet) as fleet:
        yield fleet


def _sentenced(run: Run) -> Run:
    """A command that ends with exit code 1 and one sentence when the fleet's folder cannot do what was asked."""

    def sentenced(arguments: argparse.Namespace) -> int:
        from provisioning.authority.errors import FleetError

        try:
            return run(arguments)
        except FleetError as error:
            print(f"roadproof: {error}", file=sys.stderr)
            return 1

    return sentenced


def run_init(arguments: argparse.Namespace) -> int:
    """A fleet in a folder."""
    from provisioning.authority import founding, servers
    from provisioning.authority.certificates import fingerprint
    from provisioning.authority.settings import check

    host, port = _place("--broker", arguments.broker, 8883)
    est_host, est_port = _place("--est", arguments.est, 8443) if arguments.est else (host, 8443)
    bracketed = f"[{est_host}]" if ":" in est_host else est_host
    told = {
        "name": arguments.name,
        "crl_urls": [arguments.crl_url or f"https://{bracketed}:{est_port}/crl"],
        "reload": list(ASK_RELOADER if RELOADER.exists() else RELOAD),
        "broker": {"host": host, "port": port, "fleet_port": arguments.fleet_port},
        "est": {"host": est_host, "port": est_port},
    }
    try:
        place = check(told)
    except SettingsError as error:
        raise UsageError("\nroadproof: ".join(error.faults)) from None
    folder = arguments.folder.absolute()
    founding.found(folder, place)
    print(f"""{folder} holds the fleet. Its root certificate has this SHA-256 fingerprint; publish it:
{fingerprint(servers.certificate(folder / "authority" / "root.pem"))}

1. Carry {folder}/offline/root.key away and keep it: only a new issuing key needs it, and who has it can make up a unit.
2. Give the broker its configuration: install -m 644 {folder}/broker/mosquitto.conf /etc/mosquitto/ (mqtt/broker/README.md).
3. Start the enrolment server: roadproof fleet authority --fleet {folder}
4. Start a receiver: roadproof fleet receive --config {folder}/fleet.toml
5. Invite the first unit: roadproof fleet enrol van-017 --fleet {folder}""")
    return 0


def _place(option: str, text: str, port: int) -> tuple[str, int]:
    try:
        alone = (text.startswith("[") and text.endswith("]")) or ":" not in text
        return read_place(f"{text}:{port}" if alone else text)
    except CardError:
        raise UsageError(f"{option} {text} is no address: write host or host:port, like mqtt.example.org:8883") from None


def run_enrol(arguments: argparse.Namespace) -> int:
    """A card for a vehicle's unit."""
    with _opened(arguments) as fleet:
        if arguments.replace is None:
            card = fleet.expect(arguments.vehicle)
            _show(arguments, card)
            if fleet.register.certificates(card.unit):  # what a half-finished enrolment was given counts no longer
                fleet.tell_broker()
            return 0
        entry = fleet.register.unit(arguments.replace)
        if entry is None or entry.vehicle != arguments.vehicle:
            raise UsageError(f"{arguments.replace} is no unit of {arguments.vehicle}; `roadproof fleet access` names them all")
        return _replaced(arguments, fleet, arguments.replace)


def run_replace(arguments: argparse.Namespace) -> int:
    """A card for the unit that follows another."""
    with _opened(arguments) as fleet:
        return _replaced(arguments, fleet, arguments.unit)


def run_revoke(arguments: argparse.Namespace) -> int:
    """A unit is shut out."""
    with _opened(arguments) as fleet:
        fleet.revoke(arguments.unit, arguments.reason)
    print(f"{arguments.unit} is shut out: the broker takes no login of it any more, and nothing that it still says")
    return 0


def run_access(arguments: argparse.Namespace) -> int:
    """Who may come in; exit code 1 when something runs out."""
    now = datetime.now(UTC)
    with _opened(arguments) as fleet:
        units, endings, warnings = fleet.register.units(), fleet.endings(), fleet.warnings(now)
    if arguments.json:
        ends = [{"what": one.what, "until": _day(one.until.timestamp())} for one in endings]
        told = {"units": [_unit_json(entry) for entry in units], "ends": ends, "warnings": warnings}
        print(json.dumps(told, indent=2))
        return int(bool(warnings))
    for warning in warnings:
        print(f"roadproof: {warning}", file=sys.stderr)
    heading = ("unit", "vehicle", "state", "since", "login until", "proofs until")
    print_table(heading, [_unit_cells(entry) for entry in units], empty="no unit was invited yet: roadproof fleet enrol VEHICLE")
    for one in endings:
        print(f"{one.what}: until {_day(one.until.timestamp())}")
    return int(bool(warnings))


def run_renew(arguments: argparse.Namespace) -> int:
    """What is due is made new."""
    with _opened(arguments) as fleet:
        renewed = fleet.renew_access()
    print("renewed: the revocation lists" + "".join(f", the certificate of {server}" for server in renewed))
    return 0


def run_renew_receiver(arguments: argparse.Namespace) -> int:
    """A new key signs receipts, later or at once."""
    with _opened(arguments) as fleet:
        fleet.renew_receiver(stolen=arguments.stolen)
    if arguments.stolen:
        print("The new key signs from the receivers' next start on: sudo systemctl restart roadproof-fleet")
        print("A unit believes it once it has asked, within a week; on the unit, at once: sudo roadproof renew --force")
    else:
        print("The new key is made known to every unit from now on, and signs in 60 days.")
    return 0


def _replaced(arguments: argparse.Namespace, fleet: Fleet, old: str) -> int:
    """The card first, for it is made once; then the broker."""
    _show(arguments, fleet.replace(old, arguments.reason))
    fleet.tell_broker()
    return 0


def _show(arguments: argparse.Namespace, card: Card) -> None:
    from provisioning.authority import codes
    from provisioning.authority.acting import as_oneself
    from provisioning.authority.register import CODE_FOR

    until_ms = int((datetime.now(UTC) + CODE_FOR).timestamp() * 1000)
    if arguments.png:
        with as_oneself():
            write_file(arguments.png, _png(card))
    if arguments.json:
        told = {"unit": card.unit, "card": card.text, "code": card.code, "until": time_text(until_ms)}
        print(json.dumps(told, indent=2))
        return
    print(f"""{card.unit} may enrol until {time_text(until_ms)}, once. Show the QR to its camera, or type there:

  sudo roadproof enrol '{card.text}'

or write that text between the quotes into enrol.txt on a USB stick. By hand the code is {codes.grouped(card.code)}.""")
    if sys.stdout.isatty():
        import segno

        segno.make(card.text, error="m").terminal(compact=True)


def _png(card: Card) -> bytes:
    import segno

    picture = io.BytesIO()
    segno.make(card.text, error="m").save(picture, kind="png", scale=PNG_SCALE, border=QR_QUIET_MODULES)
    return picture.getvalue()


def _unit_json(entry: UnitEntry) -> dict[str, str | None]:
    return {
        "unit": entry.unit,
        "vehicle": entry.vehicle,
        "state": entry.state,
        "since": _day(_since_s(entry)),
        "tls_until": None if entry.tls_until_s is None else _day(entry.tls_until_s),
        "evidence_until": None if entry.evidence_until_s is None else _day(entry.evidence_until_s),
        "reason": entry.reason,
        "replaces": entry.replaces,
    }


def _unit_cells(entry: UnitEntry) -> list[str]:
    told = _unit_json(entry)
    state = f"{entry.state}: {entry.reason}" if entry.reason else entry.state
    return [entry.unit, entry.vehicle, state, *(told[key] or "-" for key in ("since", "tls_until", "evidence_until"))]


def _since_s(entry: UnitEntry) -> int:
    return entry.revoked_s or entry.enrolled_s or entry.made_s


def _day(at_s: float) -> str:
    return time_text(int(at_s) * 1000)[:10]
