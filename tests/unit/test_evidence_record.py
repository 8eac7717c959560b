"""Records and receipts: sealed into a chain, verified, refused; bit by bit."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs
from mqtt.evidence.certificates import load
from mqtt.evidence.chain import Head, first_head, link_of, seal_record
from mqtt.evidence.jws import ORDER, POD, RECEIPT, sign, verify
from mqtt.evidence.receipt import check_receipt, sign_receipt
from mqtt.evidence.record import Attachment, Cash, Item, Recipient, Record, When, Where, read, write
from mqtt.evidence.verify import verify_record
from mqtt.messages import Pod, SignedReceipt
from tests.signers import UNIT, Fleet, Story, chain, record, wall

LATER = wall(30)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"
PLAIN = write(record(1, seq=1, prev="00" * 32))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "wall", "kind", "t"]), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(Fleet(tmp_path_factory.mktemp("fleet")))


def judged(story: Story, rec: str, jws: str, at: str = LATER, unit: bytes | None = None) -> Any:
    fleet = story.fleet
    return verify_record(rec, jws, unit=unit or fleet.unit_pem, issuing=fleet.issuing, root=fleet.root, at=at)


def checked(story: Story, signed: SignedReceipt) -> Any:
    return check_receipt(signed, receiver=story.fleet.receiver_pem, issuing=story.fleet.issuing, root=story.fleet.root)


def test_a_sealed_record_says_what_was_put_in(story: Story) -> None:
    said = judged(story, story.second.rec, story.second.jws)
    assert said == structs.replace(story.said, seq=2, prev=story.first.link)


def test_each_record_names_the_one_before_and_the_first_the_certificate(story: Story) -> None:
    sealed = chain(story.fleet.unit, 4)
    links = [first_head(story.fleet.unit.certificate_der).link, *(one.link for one in sealed)]
    read = [json.loads(one.rec) for one in sealed]
    assert [(said["seq"], said["prev"]) for said in read] == list(zip(range(1, 5), links[:-1], strict=True))
    assert [one.head for one in sealed] == [Head(seq=n, link=links[n]) for n in range(1, 5)]
    assert links[4] == link_of(sealed[3].rec.encode(), sealed[3].jws)


def test_optional_fields_are_left_out_and_the_others_are_null(story: Story) -> None:
    said = json.loads(story.first.rec)
    assert not {"flags", "cash", "corrects", "rating", "note", "place_m", "service", "run_n"} & said.keys()
    assert (said["reason"], said["v"], said["typ"]) == (None, 1, "pod")
    cash = Cash(amount=500, taken=1000, change=500, currency="EUR", method="cash")
    full = seal_record(record(1, flags=("far", "moving"), cash=cash, rating=5, place_m=140), Head(seq=4, link="00" * 32), story.fleet.unit)
    assert judged(story, full.rec, full.jws).cash == cash


def test_a_sealed_record_fits_the_message_that_carries_it(story: Story) -> None:
    pod = Pod(unit=UNIT, boot="7f1c2d", log="0000a001", seq=1, rec=story.second.rec, jws=story.second.jws)
    assert judged(story, pod.rec, pod.jws)


def test_a_key_of_a_newer_contract_is_passed_over(story: Story) -> None:
    newer = story.second.rec.replace('"typ":', '"temp_c10":215,"typ":')
    assert judged(story, newer, sign(newer.encode(), POD, story.fleet.unit)) == judged(story, story.second.rec, story.second.jws)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "U 1"}, {"id": "7"}, {"outcome": "delivered"}, {"flags": ("moving", "far")}, {"rating": 6}, {"boot": ""},
        {"note": "x" * 1001}, {"note": "\ud800"}, {"t": "now"}, {"items": ({"code": 1},)}, {"corrects": ""},
        {"reason": ""}, {"note": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_is_signed_that_a_verifier_would_refuse(wrong: dict[str, Any], story: Story) -> None:
    with pytest.raises(EvidenceError):
        seal_record(record(1, **wrong), first_head(story.fleet.unit.certificate_der), story.fleet.unit)


def test_a_record_longer_than_the_wire_takes_is_refused(story: Story) -> None:
    photo = Attachment(kind="photo", mime="image/jpeg", sha256="00" * 32, len=1, enc_sha256="00" * 32, enc_len=49)
    item = record().items[0]
    long = record(1, items=(structs.replace(item, code="ä" * 500),) * 1_000, att=(photo,))
    with pytest.raises(EvidenceError, match="longer than 500000"):
        seal_record(long, first_head(story.fleet.unit.certificate_der), story.fleet.unit)


@pytest.mark.parametrize("what", ["record", "receipt"])
def test_every_bit_of_what_is_signed_and_of_its_signature_counts(what: str, story: Story) -> None:
    certificate = load(story.fleet.unit_pem if what == "record" else story.fleet.receiver_pem, what)
    kind = POD if what == "record" else RECEIPT
    text, tail = (story.second.rec, story.second.jws) if what == "record" else (story.receipt.rc, story.receipt.jws)
    rec, jws = text.encode(), tail.encode()
    verify(rec, jws.decode(), kind, certificate)
    accepted = []
    for at in range(8 * (len(rec) + len(jws))):
        data = bytearray(rec + jws)
        data[at // 8] ^= 1 << at % 8
        try:
            verify(bytes(data[: len(rec)]), bytes(data[len(rec) :]).decode("latin-1"), kind, certificate)
            accepted.append(at)
        except EvidenceError:
            pass
    assert accepted == []


def test_a_record_whose_name_is_another_unit_s_is_refused(story: Story) -> None:
    stranger = seal_record(record(1, unit="u-bbbbbb"), Head(seq=6, link="00" * 32), story.fleet.unit)
    with pytest.raises(EvidenceError, match="u-aaaaaa signed it"):
        judged(story, stranger.rec, stranger.jws)


@pytest.mark.parametrize("at", ["2026-04-29T23:59:59.999Z", "2031-05-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "yesterday"])
def test_certificates_must_be_valid_when_the_record_was_stored(at: str, story: Story) -> None:
    with pytest.raises(EvidenceError):
        judged(story, story.second.rec, story.second.jws, at)


def test_a_record_outlives_its_certificate(story: Story) -> None:
    signer, pem = story.fleet.issue(days=10)
    sealed = chain(signer, 1)[0]
    assert judged(story, sealed.rec, sealed.jws, at="2026-05-10T23:59:59.999Z", unit=pem)


@pytest.mark.parametrize("wall", ["2026-02-30T00:00:00.000Z", "0000-01-01T00:00:00.000Z", "2026-05-04T08:00:00Z"])
def test_a_time_that_never_was_is_refused(wall: str, story: Story) -> None:
    with pytest.raises(EvidenceError):
        story.again(t=structs.replace(story.said.t, wall=wall))


@given(st.sampled_from(sorted(json.loads(PLAIN))), JSON)
def test_no_value_in_a_record_does_worse_than_being_refused(key: str, value: Any) -> None:
    data = jcs({**json.loads(PLAIN), key: value})
    with suppress(EvidenceError):
        assert read(data).unit


def test_the_page_explains_every_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    kinds = (Record, Recipient, Item, When, Where, Attachment, Cash)
    names = {field.encode_name for kind in kinds for field in structs.fields(kind)}
    assert {name for name in names if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("jws", ["", "..", "a..b", "\ud800..", "a" * 100_000])
def test_what_is_no_signature_is_refused(jws: str, story: Story) -> None:
    with pytest.raises(EvidenceError):
        judged(story, story.second.rec, jws)


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**256 - 1, 1)])
def test_numbers_that_no_signature_has_are_refused(r: int, s: int, story: Story) -> None:
    class Liar:
        certificate_der = story.fleet.unit.certificate_der

        def sign(self, message: bytes) -> bytes:  # noqa: ARG002  # whatever it is
            return r.to_bytes(32) + min(s, ORDER).to_bytes(32)

    with pytest.raises((EvidenceError, OverflowError)):
        judged(story, story.second.rec, sign(story.second.rec.encode(), POD, Liar()))


def test_a_receipt_says_what_was_signed(story: Story) -> None:
    receipted = checked(story, story.receipt)
    assert (receipted.unit, receipted.seq, receipted.link, receipted.received) == (UNIT, 2, story.second.link, wall(2, 20))


def test_a_unit_cannot_sign_its_own_receipt(story: Story) -> None:
    own = sign_receipt(UNIT, 2, story.second.link, wall(2, 20), story.fleet.unit)
    for pem in (story.fleet.receiver_pem, story.fleet.unit_pem):
        with pytest.raises(EvidenceError):
            check_receipt(own, receiver=pem, issuing=story.fleet.issuing, root=story.fleet.root)


@pytest.mark.parametrize("change", [("2026", "2027"), ('"seq":2', '"seq":3'), (UNIT, "u-bbbbbb"), ("receipt", "pod"), ('"v":1', '"v":2')])
def test_an_altered_receipt_is_refused(change: tuple[str, str], story: Story) -> None:
    with pytest.raises(EvidenceError):
        checked(story, SignedReceipt(rc=story.receipt.rc.replace(*change), jws=story.receipt.jws))


@pytest.mark.parametrize("wrong", [{"unit": "U"}, {"seq": 0}, {"link": "x"}, {"received": "2026-02-30T00:00:00.000Z"}])
def test_a_receiver_signs_no_nonsense(wrong: dict[str, Any], story: Story) -> None:
    with pytest.raises(EvidenceError):
        sign_receipt(**{"unit": UNIT, "seq": 1, "link": "0" * 64, "received": wall(1), "signer": story.fleet.receiver, **wrong})


def test_a_damaged_certificate_is_refused_with_a_sentence(story: Story) -> None:
    pem = bytearray(story.fleet.unit_pem)
    for at in range(28, len(pem) - 27, 3):
        pem[at] ^= 1
        try:
            judged(story, story.second.rec, story.second.jws, unit=bytes(pem))
            accepted = load(bytes(pem), "unit")
        except EvidenceError:
            accepted = None
        assert accepted in {None, load(story.fleet.unit_pem, "unit")}  # a blank for a line end is the same certificate
        pem[at] ^= 1
