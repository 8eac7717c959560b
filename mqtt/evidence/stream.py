"""Whether a unit's records are all there and in order: the chain shows what is missing, the receipts show where it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from mqtt.evidence.chain import Head, Signed, read_record
from mqtt.evidence.findings import Finding
from mqtt.evidence.receipt import Receipted
from mqtt.evidence.record import Record
from mqtt.messages import utc_ms

Place = tuple[Record, Signed]


CLOCK_SET = {"gnss", "ntp"}
CLOCKS_APART_MS = 600_000  # as a single record is allowed to differ from its receipts


def check_stream(
    records: Sequence[Signed], receipts: Sequence[Receipted], first: Head, named: Mapping[str, Receipted] | None = None
) -> list[Finding]:
    """What is wrong with a unit's records in the order given, none when they are whole.

    Records are each verified before (`verify_record`), receipts too (`check_receipt`); `first` is `first_head` of the unit's certificate;
    `named` are receipts by their link, as records name them. A cut tail shows only in the receipts.
    EvidenceError when something is no record.
    """
    places = [(read_record(signed), signed) for signed in records]
    by_number: dict[int, Place] = {}
    for place in places:
        by_number.setdefault(place[0].seq, place)
    whole = [*_strangers(places, receipts), *_repeats(places, by_number), *_order(places)]
    whole += [*_gaps(by_number), *_links(by_number, first), *_receipts(by_number, receipts)]
    whole += [*_clocks(by_number), *_earlier_receipts(by_number, named or {})]
    return [Finding(level="bad", about="chain", text=text) for text in whole]


def _strangers(places: list[Place], receipts: Sequence[Receipted]) -> Iterator[str]:
    units = sorted({record.unit for record, _ in places} | {receipt.unit for receipt in receipts})
    if len(units) > 1:
        yield f"records and receipts of several units are mixed: {', '.join(units)}"


def _repeats(places: list[Place], by_number: dict[int, Place]) -> Iterator[str]:
    for place in places:
        record, signed = place
        other = by_number[record.seq]
        if other is place:
            continue
        if other[1].link == signed.link:
            yield f"record {record.seq} is there twice"
        else:
            yield f"two different records have the number {record.seq}: the unit's key was used in two places, or its memory was set back"


def _order(places: list[Place]) -> Iterator[str]:
    for (before, _), (after, _) in pairwise(places):
        if after.seq < before.seq:
            yield f"record {after.seq} stands after record {before.seq}: the order was changed"


def _gaps(by_number: dict[int, Place]) -> Iterator[str]:
    numbers = [0, *sorted(by_number)]
    for before, after in pairwise(numbers):
        if after > before + 1:
            yield f"{_span(before + 1, after - 1)} missing{' at the beginning' if before == 0 else ''}"


def _links(by_number: dict[int, Place], first: Head) -> Iterator[str]:
    for number, (record, _) in sorted(by_number.items()):
        if number == 1 and record.prev != first.link:
            yield "record 1 does not begin at the unit's certificate: another chain was put in front, or the certificate is another"
        elif number - 1 in by_number and record.prev != by_number[number - 1][1].link:
            yield f"record {number} does not follow the record {number - 1} that is here: one of the two was exchanged"


def _receipts(by_number: dict[int, Place], receipts: Sequence[Receipted]) -> Iterator[str]:
    top = max(by_number, default=0)
    signed_for = max((receipt.seq for receipt in receipts), default=0)
    if signed_for > top:
        yield f"{_span(top + 1, signed_for)} missing at the end: the receiver signed for {'it' if signed_for == top + 1 else 'them'}"
    for receipt in receipts:
        if receipt.seq in by_number and receipt.link != by_number[receipt.seq][1].link:
            yield f"the receiver signed for another record {receipt.seq} than the one that is here"


def _clocks(by_number: dict[int, Place]) -> Iterator[str]:
    """Of two records of one start of the unit: its two clocks must have gone equally far, and forwards."""
    for before, after in pairwise(sorted(by_number)):
        one, other = by_number[before][0], by_number[after][0]
        if one.boot != other.boot:
            continue
        if (gone_ms := other.t.mono_ms - one.t.mono_ms) < 0:
            yield f"record {after} was made before record {before}, by the clock that nobody can set: a copy of the unit made one of them"
        elif {one.t.src, other.t.src} <= CLOCK_SET and abs(utc_ms(other.t.wall) - utc_ms(one.t.wall) - gone_ms) > CLOCKS_APART_MS:
            yield f"the unit's clock was set to another time between record {before} ({one.t.wall}) and record {after} ({other.t.wall})"


def _earlier_receipts(by_number: dict[int, Place], named: Mapping[str, Receipted]) -> Iterator[str]:
    """A unit names the newest receipt that it holds: one that is older than the record before named shows that it forgot, or is another."""
    newest, by = 0, 0
    for number, (record, _) in sorted(by_number.items()):
        receipt = named.get(record.t.after or "")
        if receipt is None:
            continue
        if receipt.seq >= number:
            yield f"record {number} names the receipt of record {receipt.seq}, which did not exist yet: its number is false"
        elif receipt.seq < newest:
            yield f"record {number} names an older receipt (of {receipt.seq}) than record {by} (of {newest}): its memory was set back"
        else:
            newest, by = receipt.seq, number


def _span(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
