"""Proofs of delivery: pods, bundle, pdf, epcis, stream-check."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.errors import UsageError
from cli.fleet.place import add_place, check_unit, opened, read_settings, written
from cli.fleet.printing import print_json, print_table, write_file
from cli.fleet.runs import read_run
from cli.words import Commands, add, time_ms, time_text
from fleet import dossier, epcis, paper, pictures, pods
from fleet.dossier import Dossier, gather
from fleet.notary import Notary
from fleet.store import Store
from mqtt.evidence import EvidenceError, bundle
from mqtt.evidence.findings import Finding
from mqtt.evidence.verdict import verify_bundle
from mqtt.messages import utc_ms, utc_text

NOT_YET = "not all of it has come yet: {waiting} still wait on the unit; try again later"


def add_commands(group: Commands) -> None:
    """Add what there is to see and to make of proofs."""
    listed = add(
        group, "pods", run_pods, "proofs of delivery, and whether they are good", "roadproof fleet pods van-12 --config fleet.toml"
    )
    listed.add_argument("unit", metavar="UNIT", nargs="?", help="only this unit")
    listed.add_argument("--stop", metavar="S", help="only this stop")
    listed.add_argument("--recheck", action="store_true", help="check again what was not found good: after the unit's certificate has come")
    add_place(listed)
    made = add(
        group, "bundle", run_bundle, "one proof for a stranger to check", "roadproof fleet bundle 0192f3 -o proof.zip --config fleet.toml"
    )
    made.add_argument("--partial", action="store_true", help="also while photos or the signature still wait on the unit")
    printed = add(group, "pdf", run_pdf, "one proof as a page", "roadproof fleet pdf van-12/stop-4 -o proof.pdf --config fleet.toml")
    printed.add_argument(
        "--run", dest="run_file", metavar="FILE", type=Path, help="the run file of that day: the address is in it, not in the record"
    )
    printed.add_argument("--zone", metavar="NAME", help="show its local time there beside UTC: Europe/Berlin")
    for command in (made, printed):
        command.add_argument("pod", metavar="POD", help="its id, the beginning of it, or UNIT/STOP: the newest of that stop")
    example = "roadproof fleet epcis van-12 --from 2026-05-04 -o monday.json --config fleet.toml"
    exported = add(group, "epcis", run_epcis, "a unit's proofs as a GS1 EPCIS 2.0 document", example)
    exported.add_argument("--from", dest="since", metavar="TIME", help="from this time on, UTC unless it carries an offset")
    exported.add_argument("--to", dest="until", metavar="TIME", help="up to this time, included")
    exported.add_argument("--zone", metavar="NAME", default="UTC", help="whose offset the times carry: Europe/Berlin (default UTC)")
    shown = add(
        group, "photo", run_photo, "one photo or signature, opened", "roadproof fleet photo 3f9a02 -o brakes.jpg --config fleet.toml"
    )
    shown.add_argument("sha", metavar="SHA", help="the beginning of its SHA-256, as `fleet events` and the records tell it")
    stream = add(
        group,
        "stream-check",
        run_stream_check,
        "whether a unit's proofs are all there",
        "roadproof fleet stream-check van-12 --config fleet.toml",
    )
    for command in (exported, stream):
        command.add_argument("unit", metavar="UNIT")
    for command in (made, printed, exported, shown):
        command.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="file to write")
        command.add_argument("--config", metavar="FILE", type=Path, required=True, help="the receiver's settings, with [evidence]")
    stream.add_argument("--config", metavar="FILE", type=Path, required=True, help="the receiver's settings, with [evidence]")
    for command in (listed, stream):
        command.add_argument("--json", action="store_true", help="for programs")


def run_pods(arguments: argparse.Namespace) -> int:
    """Print the table of proofs."""
    if arguments.recheck:
        _recheck(arguments)
    with opened(arguments) as store:
        if arguments.unit is not None:
            check_unit(store, arguments.unit)
        told = pods.sights(store, arguments.unit, arguments.stop)
    if arguments.json:
        return print_json(told)
    heading = ("time", "unit", "stop", "outcome", "recipient", "photo", "signature", "verified", "receipt", "proof")
    return print_table(heading, [_cells(pod) for pod in told], empty="no proof has come yet")


def _cells(pod: pods.PodSight) -> list[str]:
    return [
        time_text(utc_ms(pod.t)) if pod.t else "?",
        pod.unit,
        pod.stop or "?",
        (pod.outcome or "?").replace("_", " "),
        pod.recipient or "-",
        pod.photo or "-",
        pod.signature or "-",
        {True: "; ".join(["yes, but " + remark for remark in pod.remarks]) or "yes", None: "not checked"}.get(
            pod.verified, f"NO: {pod.fault}"
        ),
        time_text(utc_ms(pod.receipt)) if pod.receipt else "-",
        (pod.id or pod.link)[:8],
    ]


def _recheck(arguments: argparse.Namespace) -> None:
    if not arguments.config:
        raise UsageError("--recheck needs --config: the certificates are named in its section [evidence]")
    notary = _notary(arguments.config)
    with written(arguments) as store:
        looked, good = pods.recheck(store, notary, arguments.unit, _now_ms())
    if not arguments.json:
        print(f"{looked} proofs checked again, {good} of them are good")


def run_bundle(arguments: argparse.Namespace) -> int:
    """Write a bundle."""
    with _proof(arguments) as (store, notary, found):
        if found.waiting and not arguments.partial:
            raise UsageError(NOT_YET.format(waiting=" and ".join(found.waiting)) + ", or add --partial")
        made = dossier.contents(store, notary, found)
    write_file(arguments.output, bundle.pack(made))
    left_out = f", without {' and '.join(found.waiting)}" if found.waiting else ""
    print(f"{arguments.output} holds proof {found.record.id}{left_out}; check it with: roadproof verify {arguments.output} --root ROOT.pem")
    return 0


def run_pdf(arguments: argparse.Namespace) -> int:
    """Write a page."""
    zone = _zone(arguments.zone) if arguments.zone else None
    with _proof(arguments) as (store, notary, found):
        findings = _findings(store, notary, found)
    extras = paper.Extras(zone=zone, address=_address(arguments.run_file, found.record.stop) if arguments.run_file else None)
    try:
        page = paper.pdf(found, findings, extras)
    except ImportError:
        raise UsageError("a page needs WeasyPrint and segno: pip install 'roadproof[fleet]'") from None
    except paper.OnePageError as error:
        raise UsageError(str(error)) from None
    write_file(arguments.output, page)
    return 0


def _address(run_file: Path, stop_id: str) -> str:
    stops = {stop.stop_id: stop for stop in read_run(run_file).plan.stops}
    if stop_id not in stops:
        raise UsageError(f"{run_file} has no stop {stop_id}: it is the run of another day or vehicle")
    return ", ".join(filter(None, (stops[stop_id].address, stops[stop_id].detail)))


def _findings(store: Store, notary: Notary, found: Dossier) -> list[Finding]:
    """What a stranger who checks the bundle will be told."""
    if found.row.receipt is None:
        return [
            Finding(level="good", about="record", text=f"Unit {found.record.unit} signed it, and nothing in it was changed since."),
            Finding(level="note", about="receipt", text="No receiver has signed a receipt for it yet: nothing shows when it was stored."),
        ]
    return verify_bundle(dossier.contents(store, notary, found), notary.root).findings


def run_photo(arguments: argparse.Namespace) -> int:
    """Write an attachment as it was made, a signature as a drawing."""
    notary = _notary(arguments.config)
    try:
        with opened(arguments) as store:
            picture = pictures.open_one(store, notary, arguments.sha)
    except (pictures.PictureNotFoundError, EvidenceError) as error:
        raise UsageError(str(error)) from None
    write_file(arguments.output, picture.data)
    print(f"{arguments.output} holds the {picture.kind} of {picture.unit} whose SHA-256 is {picture.sha256}")
    return 0


def run_epcis(arguments: argparse.Namespace) -> int:
    """Write an EPCIS document."""
    zone = _zone(arguments.zone)
    since_ms = time_ms("--from", arguments.since) if arguments.since else 0
    until_ms = time_ms("--to", arguments.until) if arguments.until else _now_ms()
    notary = _notary(arguments.config)
    with opened(arguments) as store:
        check_unit(store, arguments.unit)
        rows = [row for row in store.proofs(arguments.unit) if row.verified_ms is not None and since_ms <= (row.t_ms or 0) <= until_ms]
    try:
        found = [(dossier.record_of(notary, row), row.link) for row in rows]
    except EvidenceError as error:
        raise UsageError(str(error)) from None
    told = epcis.document(found, utc_text(_now_ms()), zone)
    write_file(arguments.output, (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())
    print(f"{arguments.output} holds {len(found)} events")
    return 0


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"{name} is no time zone; write one like Europe/Berlin") from None


def run_stream_check(arguments: argparse.Namespace) -> int:
    """Print what is wrong with a unit's chain; 1 when something is."""
    notary = _notary(arguments.config)
    with opened(arguments) as store:
        check_unit(store, arguments.unit)
        try:
            told = pods.streams(store, notary, arguments.unit)
        except EvidenceError as error:
            raise UsageError(str(error)) from None
    bad = [finding.text for stream in told for finding in stream.findings]
    if arguments.json:
        print_json(told)
    elif bad:
        print("\n".join(bad))
    else:
        count = sum(stream.records for stream in told)
        print(
            f"all {count} proofs of {arguments.unit} are there, each behind the one before"
            if count
            else f"{arguments.unit} has no good proof yet"
        )
    return 1 if bad else 0


@contextmanager
def _proof(arguments: argparse.Namespace) -> Iterator[tuple[Store, Notary, Dossier]]:
    """The proof that was named, with everything of it that is held."""
    notary = _notary(arguments.config)
    with opened(arguments) as store:
        try:
            yield store, notary, gather(store, notary, pods.find(store, arguments.pod))
        except pods.PodNotFoundError as error:
            raise UsageError(str(error)) from None
        except EvidenceError as error:
            raise UsageError(f"{arguments.pod}: {error}") from None


def _notary(config: Path) -> Notary:
    wanted = read_settings(config).evidence
    if wanted is None:
        raise UsageError(f"{config} has no section [evidence]: it names the authority, the units' certificates and this receiver's keys")
    try:
        return Notary(wanted)
    except EvidenceError as error:
        raise UsageError(f"{config}: {error}") from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
