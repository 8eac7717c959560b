"""Whether a unit's records are all there and in order: the chain shows what is missing, the receipts show where it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mqtt.evidence.chain import Head, Signed, read_record
from mqtt.evidence.findings import Finding
from mqtt.evidence.receipt import Receipted
from mqtt.evidence.record import Record

Place = tuple[Record, Signed]


def check_stream(records: Sequence[Signed], receipts: Sequence[Receipted], first: Head) -> list[Finding]:
    """What is wrong with a unit's records in the order given, none when they are whole.

    Records are each verified before (`verify_record`), receipts too (`check_receipt`); `first` is `first_head` of the unit's certificate.
    A cut tail shows only in the receipts. EvidenceError when something is no record.
    """
    places = [(read_record(signed), signed) for signed in records]
    by_number: dict[int, Place] = {}
    for place in places:
        by_number.setdefault(place[0].seq, place)
    whole = [*_strangers(places, receipts), *_repeats(places, by_number), *_order(places)]
    whole += [*_gaps(by_number), *_links(by_number, first), *_receipts(by_number, receipts)]
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


def _span(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
