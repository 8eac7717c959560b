"""Proofs as a GS1 EPCIS 2.0 document: one ObjectEvent each, in the words of the Core Business Vocabulary 2.0. Pure.

The vocabulary has no business step for delivering at a door: goods that change hands are `accepting`, in either direction; where they
stayed in the vehicle it was only `arriving`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from fleet.gs1 import class_uri, item_uri
from mqtt.evidence.record import Item, Record

Json = dict[str, Any]
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
OWN = {"roadproof": "urn:roadproof:epcis:"}
DONE = ("delivered_", "picked_up_")


def document(records: Sequence[tuple[Record, str]], created: str, zone: tzinfo) -> Json:
    """An EPCISDocument of records, each with its link; times carry the offset that the zone had then."""
    corrected = {record.corrects: record for record, _ in records if record.corrects is not None}
    events = [_event(record, link, corrected.get(record.id), zone) for record, link in records]
    return {
        "@context": [CONTEXT, OWN],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": created,
        "epcisBody": {"eventList": events},
    }


def _event(record: Record, link: str, correction: Record | None, zone: tzinfo) -> Json:
    offset = datetime.fromisoformat(record.t.wall).astimezone(zone).isoformat()[-6:]
    handed = [item for item in record.items if item.qty_fact and record.outcome.startswith(DONE)] or list(record.items)
    event: Json = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{record.id}",
        "eventTime": record.t.wall,
        "eventTimeZoneOffset": offset,
        "action": "OBSERVE",
        "bizStep": "accepting" if record.outcome.startswith(DONE) else "arriving",
        "disposition": _disposition(record),
        **_goods(record, handed),
        "bizTransactionList": [{"bizTransaction": f"urn:roadproof:job:{quote(record.job, safe='')}"}] if record.job else [],
        "roadproof:outcome": record.outcome,
        "roadproof:unit": record.unit,
        "roadproof:stop": record.stop,
        "roadproof:link": link,
    }
    if record.pos is not None:
        place = f"geo:{record.pos.lat_e7 / 1e7:.7f},{record.pos.lon_e7 / 1e7:.7f}"
        event["readPoint"] = {"id": place}
    if correction is not None:
        event["errorDeclaration"] = {
            "declarationTime": correction.t.wall,
            "reason": "incorrect_data",
            "correctiveEventIDs": [f"urn:uuid:{correction.id}"],
        }
    return {key: value for key, value in event.items() if value != []}


def _disposition(record: Record) -> str:
    if record.outcome == "failed_damaged":
        return "damaged"
    if not record.outcome.startswith(DONE):
        return "in_transit"
    return "returned" if record.service == "return" else "in_progress"


def _goods(record: Record, items: Sequence[Item]) -> Json:
    """Single parcels by their own name, goods known by kind with their quantity; a record without codes is named by its stop."""
    kinds = [(item, class_uri(item.code)) for item in items if item.code]
    single = sorted({item_uri(item.code) for item, kind in kinds if item.code and kind is None})
    quantities = [{"epcClass": kind, "quantity": item.qty_fact} for item, kind in kinds if kind is not None]
    if not single and not quantities:
        single = [f"urn:roadproof:stop:{record.unit}:{quote(record.stop, safe='')}"]
    return {"epcList": single, "quantityList": quantities}
