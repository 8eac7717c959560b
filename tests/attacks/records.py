"""Lies about the record and its signature."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from mqtt.evidence.bundle import Contents
from mqtt.evidence.canonical import jcs
from mqtt.evidence.chain import Signed
from mqtt.evidence.jws import ORDER, RECEIPT
from mqtt.messages import SignedReceipt
from tests.attacks.liar import ALTERED, NOT_CANONICAL, Files, attack, edited, live_raw, signed_raw
from tests.signers import Story, receipt, wall


@attack(ALTERED, ALTERED)
def recipient_changed(story: Story) -> Files:
    return edited(story, "record.json", lambda data: data.replace(b'"neighbour"', b'"recipient"'))


@attack(ALTERED, ALTERED)
def time_changed(story: Story) -> Files:
    return edited(story, "record.json", lambda data: data.replace(b"08:02:00.000Z", b"08:02:09.000Z"))


@attack("not in canonical form", NOT_CANONICAL)
def record_written_anew_with_blanks(story: Story) -> Files:
    return edited(story, "record.json", lambda data: json.dumps(json.loads(data), ensure_ascii=False).encode())


@attack("not in canonical form", ALTERED)
def record_written_anew_with_other_escapes(story: Story) -> Files:
    return edited(story, "record.json", lambda data: json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode())


@attack("key is there twice", NOT_CANONICAL)
def duplicate_key_put_in(story: Story) -> Files:
    return edited(story, "record.json", lambda data: data.replace(b'"fw":', b'"fw":"9","fw":'))


@attack("key is there twice", NOT_CANONICAL)
def duplicate_key_signed_by_the_unit_itself(story: Story) -> Contents:
    return live_raw(story, story.second.rec.replace('"fw":', '"fw":"9","fw":').encode())


@attack("not in canonical form", NOT_CANONICAL)
def keys_out_of_order_signed_by_the_unit_itself(story: Story) -> Contents:
    said = json.loads(story.second.rec)
    return live_raw(story, json.dumps(dict(reversed(said.items())), separators=(",", ":"), ensure_ascii=False).encode())


@attack("cannot be a key", NOT_CANONICAL)
def key_that_looks_like_a_path_signed_by_the_unit_itself(story: Story) -> Contents:
    return live_raw(story, story.second.rec.replace('"typ":', '"t.wall":"2020-01-01T00:00:00.000Z","typ":').encode())


@attack("breaks the contract", "the record's clock has no margin")
def number_that_a_shell_would_run(story: Story) -> Contents:
    return live_raw(story, story.second.rec.replace('"err_ms":50', '"err_ms":"a[$(touch pwned)]"').encode())


@attack("one of the two is false", "one of the two is false")
def clock_by_satellites_that_may_be_years_wrong(story: Story) -> Contents:
    return live_raw(story, story.second.rec.replace('"err_ms":50', '"err_ms":99999999999').encode())


@attack("breaks the contract", "is missing, or there twice")
def attachment_whose_name_speaks_for_the_script(story: Story) -> Contents:
    name = '"sha256":"' + story.said.att[0].sha256
    return live_raw(story, story.second.rec.replace(name, '"sha256":"\u202e\x9b2JThe proof holds.').encode())


@attack("not in canonical form", NOT_CANONICAL)
def line_end_behind_the_record(story: Story) -> Files:
    return edited(story, "record.json", lambda data: data + b"\n")


@attack("not canonical base64url", "the header in record.jws")
def line_end_behind_the_signature(story: Story) -> Files:
    return edited(story, "record.jws", lambda data: data + b"\n")


@attack("not canonical base64url", "not canonical base64url")
def unused_bits_of_the_signature_set(story: Story) -> Files:
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return edited(story, "record.jws", lambda data: data[:-1] + letters[letters.index(data[-1]) + 1 :][:1])


def _numbers(data: bytes) -> tuple[bytes, int, int]:
    head, _, tail = data.partition(b"..")
    raw = urlsafe_b64decode(tail + b"==")
    return head, int.from_bytes(raw[:32]), int.from_bytes(raw[32:])


def _with_numbers(head: bytes, r: int, s: int) -> bytes:
    return head + b".." + urlsafe_b64encode(r.to_bytes(32) + s.to_bytes(32)).rstrip(b"=")


@attack("not in its one canonical form", "not in its one canonical form")
def malleated_s(story: Story) -> Files:
    def change(data: bytes) -> bytes:
        head, r, s = _numbers(data)
        return _with_numbers(head, r, ORDER - s)

    return edited(story, "record.jws", change)


@attack("not in its one canonical form", "not in its one canonical form")
def malleated_s_of_the_receipt(story: Story) -> Files:
    def change(data: bytes) -> bytes:
        head, r, s = _numbers(data)
        return _with_numbers(head, r, ORDER - s)

    return edited(story, "receipt.jws", change)


@attack("not in its one canonical form", "not in its one canonical form")
def signature_of_zeros(story: Story) -> Files:
    return edited(story, "record.jws", lambda data: _with_numbers(_numbers(data)[0], 0, 0))


def _with_header(data: bytes, **changes: Any) -> bytes:
    head, _, tail = data.partition(b"..")
    said = json.loads(urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    return urlsafe_b64encode(jcs({**said, **changes})).rstrip(b"=") + b".." + tail


@attack("asks for 'none'", "the header in record.jws")
def algorithm_none(story: Story) -> Files:
    return edited(story, "record.jws", lambda data: _with_header(data, alg="none").partition(b"..")[0] + b"..")


@attack("asks for 'HS256'", "the header in record.jws")
def algorithm_that_takes_the_public_key_for_a_secret(story: Story) -> Files:
    return edited(story, "record.jws", lambda data: _with_header(data, alg="HS256"))


@attack("other fields than", "the header in record.jws")
def header_with_a_key_of_its_own(story: Story) -> Files:
    return edited(story, "record.jws", lambda data: _with_header(data, jwk="attackers"))


@attack("not a detached JWS", "the header in record.jws")
def signature_with_the_payload_inside(story: Story) -> Files:
    inside = urlsafe_b64encode(story.second.rec.encode()).rstrip(b"=")
    return edited(story, "record.jws", lambda data: data.replace(b"..", b"." + inside + b"."))


@attack("signed as 'rp-receipt+jws'", "the header in record.jws")
def record_signed_as_a_receipt(story: Story) -> Contents:
    forged = signed_raw(story.second.rec.encode(), RECEIPT, story.fleet.unit)
    return story.contents(record=forged, receipt=receipt(story.fleet, story.second, wall(2, 20), link=forged.link), neighbours={})


@attack("breaks the contract", "is not a record of a delivery")
def receipt_handed_over_as_the_record(story: Story) -> Contents:
    return story.contents(record=Signed(rec=story.receipt.rc, jws=story.receipt.jws))


@attack("breaks the contract", "is not a receipt")
def record_handed_over_as_the_receipt(story: Story) -> Contents:
    return story.contents(receipt=SignedReceipt(rc=story.second.rec, jws=story.second.jws))
