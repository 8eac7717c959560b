"""Proofs in GS1's words."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from fleet.epcis import document
from fleet.gs1 import class_uri, item_uri
from mqtt.evidence.record import Item, Record, When, Where

RECORD = Record(
    unit="van-12", boot="abcdef01", seq=7, prev="0" * 64, id=str(uuid.UUID(int=7)), job="J/1", stop="s4", outcome="delivered_to_recipient",
    reason=None, recipient=None, driver=None, items=(),
    t=When(wall="2026-07-04T22:30:00.000Z", mono_ms=5, src="gnss", err_ms=50, after=None),
    pos=Where(lat_e7=524_000_000, lon_e7=-4_000_000, acc_m=4, fix=3, sats=11, age_ms=300), att=(), fw="1",
)  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")


def item(code: str, *, qty: int = 1, fact: int = 1) -> Item:
    return Item(code=code, sym="x", line_id="l", state="delivered", qty=qty, qty_fact=fact, reason=None)


def events(*records: Record) -> list[dict[str, Any]]:
    told = document([(record, "ab" * 32) for record in records], "2026-07-05T00:00:00.000Z", BERLIN)
    found: list[dict[str, Any]] = told["epcisBody"]["eventList"]
    return found


@pytest.mark.parametrize(
    ("code", "uri"),
    [
        ("00340123450000000017", "https://id.gs1.org/00/340123450000000017"),
        ("]C100340123450000000017", "https://id.gs1.org/00/340123450000000017"),
        ("(00)340123450000000017", "https://id.gs1.org/00/340123450000000017"),
        ("01095060001343521726010110LOT\x1d21S/1", "https://id.gs1.org/01/09506000134352/21/S%2F1"),
        ("00340123450000000018", "urn:roadproof:item:00340123450000000018"),
        ("0109506000134352", "urn:roadproof:item:0109506000134352"),
        ("P 1\x1b", "urn:roadproof:item:P%201%1B"),
        ("", "urn:roadproof:item:"),
        ("\u0660\u0660", "urn:roadproof:item:%D9%A0%D9%A0"),
    ],
)
def test_a_parcel_is_named_by_its_gs1_identifier_or_by_a_name_of_our_own(code: str, uri: str) -> None:
    assert item_uri(code) == uri


@pytest.mark.parametrize(
    ("code", "uri"),
    [
        ("9506000134352", "https://id.gs1.org/01/09506000134352"),
        ("010950600013435210LOT", "https://id.gs1.org/01/09506000134352/10/LOT"),
        ("9506000134353", None),
        ("010950600013435221S1", None),
    ],
)
def test_goods_without_a_serial_number_are_a_class(code: str, uri: str | None) -> None:
    assert class_uri(code) == uri


def test_a_hand_over_is_an_accepting_with_the_offset_of_its_place() -> None:
    (event,) = events(structs.replace(RECORD, items=(item("00340123450000000017"), item("9506000134352", qty=3, fact=2))))
    assert (event["type"], event["bizStep"], event["action"]) == ("ObjectEvent", "accepting", "OBSERVE")
    assert (event["eventTime"], event["eventTimeZoneOffset"]) == ("2026-07-04T22:30:00.000Z", "+02:00")
    assert event["epcList"] == ["https://id.gs1.org/00/340123450000000017"]
    assert event["quantityList"] == [{"epcClass": "https://id.gs1.org/01/09506000134352", "quantity": 2}]
    assert event["readPoint"] == {"id": "geo:52.4000000,-0.4000000"}
    assert event["bizTransactionList"] == [{"bizTransaction": "urn:roadproof:job:J%2F1"}]


def test_goods_that_were_not_handed_over_are_not_in_the_event() -> None:
    (event,) = events(structs.replace(RECORD, items=(item("a"), item("b", fact=0))))
    assert event["epcList"] == ["urn:roadproof:item:a"]


def test_a_failed_stop_is_an_arrival_with_everything_still_in_transit() -> None:
    (event,) = events(structs.replace(RECORD, outcome="failed_not_home", items=(item("a", fact=0),), pos=None, job=None))
    assert (event["bizStep"], event["disposition"], event["epcList"]) == ("arriving", "in_transit", ["urn:roadproof:item:a"])
    assert not {"readPoint", "bizTransactionList", "quantityList"} & event.keys()


def test_a_corrected_proof_names_its_correction() -> None:
    later = structs.replace(RECORD, id=str(uuid.UUID(int=8)), corrects=RECORD.id)
    first, second = events(RECORD, later)
    assert first["errorDeclaration"]["correctiveEventIDs"] == [f"urn:uuid:{later.id}"]
    assert "errorDeclaration" not in second


def test_a_record_without_codes_is_named_by_its_stop() -> None:
    (event,) = events(structs.replace(RECORD, stop="s 4"))
    assert event["epcList"] == ["urn:roadproof:stop:van-12:s%204"]
