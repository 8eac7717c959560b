"""A unit's records in a row: whatever was done to the row is named."""

from __future__ import annotations

import pytest
from msgspec import structs

from mqtt.evidence.chain import Head, Sealed, first_head, seal_record
from mqtt.evidence.receipt import Receipted
from mqtt.evidence.stream import check_stream
from tests.signers import UNIT, Fleet, chain, record


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def row(fleet: Fleet) -> list[Sealed]:
    return chain(fleet.unit, 8)


def receipted(sealed: Sealed) -> Receipted:
    return Receipted(v=1, typ="receipt", unit=UNIT, seq=sealed.head.seq, link=sealed.link, received="2026-05-04T09:00:00.000Z")


def named(fleet: Fleet, records: list[Sealed], receipts: list[Receipted] | None = None) -> list[str]:
    found = check_stream(records, receipts or [], first_head(fleet.unit.certificate_der))
    assert all((finding.level, finding.about) == ("bad", "chain") for finding in found)
    return [finding.text for finding in found]


def test_a_whole_row_has_no_finding(fleet: Fleet, row: list[Sealed]) -> None:
    assert named(fleet, row, [receipted(one) for one in row]) == []
    assert named(fleet, []) == []


def test_a_gap_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    assert named(fleet, row[:3] + row[4:]) == ["record 4 is missing"]
    assert named(fleet, row[:2] + row[5:]) == ["records 3 to 5 are missing"]


def test_a_leading_cut_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    assert named(fleet, row[2:]) == ["records 1 to 2 are missing at the beginning"]


def test_a_cut_tail_is_named_by_the_receipts_alone(fleet: Fleet, row: list[Sealed]) -> None:
    receipts = [receipted(one) for one in row]
    assert named(fleet, row[:6]) == []
    assert named(fleet, row[:6], receipts) == ["records 7 to 8 are missing at the end: the receiver signed for them"]
    assert named(fleet, row[:7], receipts) == ["record 8 is missing at the end: the receiver signed for it"]
    assert named(fleet, [], receipts[:1]) == ["record 1 is missing at the end: the receiver signed for it"]


def test_a_swap_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    swapped = [*row[:3], row[4], row[3], *row[5:]]
    assert named(fleet, swapped) == ["record 4 stands after record 5: the order was changed"]


def test_a_repeat_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    assert named(fleet, [*row[:3], row[2], *row[3:]]) == ["record 3 is there twice"]


def test_a_fork_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    fork = seal_record(record(3, note="elsewhere"), row[1].head, fleet.unit)
    found = named(fleet, [*row[:3], fork, *row[3:]])
    assert found == ["two different records have the number 3: the unit's key was used in two places, or its memory was set back"]


def test_an_exchanged_record_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    other = seal_record(record(4, note="afterwards"), row[2].head, fleet.unit)
    found = named(fleet, [*row[:3], other, *row[4:]], [receipted(one) for one in row])
    assert found == [
        "record 5 does not follow the record 4 that is here: one of the two was exchanged",
        "the receiver signed for another record 4 than the one that is here",
    ]


def test_another_chain_in_front_is_named(fleet: Fleet, row: list[Sealed]) -> None:
    other = seal_record(record(1), Head(seq=0, link="00" * 32), fleet.unit)
    assert named(fleet, [other])[0].startswith("record 1 does not begin at the unit's certificate")


def test_records_of_two_units_are_named(fleet: Fleet, row: list[Sealed]) -> None:
    stranger = seal_record(record(9, unit="u-bbbbbb"), row[-1].head, fleet.other)
    assert named(fleet, [*row, stranger]) == ["records and receipts of several units are mixed: u-aaaaaa, u-bbbbbb"]
    foreign = structs.replace(receipted(row[0]), unit="u-cccccc")
    assert "u-cccccc" in named(fleet, row, [foreign])[0]
