"""What the receiver makes of a message, good or bad: it never fails on what units send."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.intake import REASON_LIMIT, TOP_INTEGER, Blob, Fixes, Item, Record, Refused, Report, Series, SignedRecord, read
from fleet.proofs import Claims, claims_of
from mqtt import codec
from mqtt.codec import TrackPoint
from mqtt.messages import Track

NOW_MS = 1_777_890_000_000  # 2026-05-04T10:20:00Z
ROOT = "rp/v1/van-12/"
EVENT: dict[str, Any] = {
    "typ": "event", "v": 1, "unit": "van-12", "boot": "abcdef01", "log": "0000a001", "seq": 7, "t": "2026-05-04T08:00:00.000Z",
    "src": "gnss", "mono_ms": 5, "event": "trip.start", "data": {"b": 1, "a": "\u0000"},
}  # fmt: skip
STATE: dict[str, Any] = {
    "typ": "state",
    "v": 1,
    "unit": "van-12",
    "boot": "abcdef01",
    "log": "0000a001",
    "session": 3,
    "state": "online",
    "t": None,
}
LAST: dict[str, Any] = {
    "typ": "last", "v": 1, "unit": "van-12", "boot": "abcdef01", "log": "0000a001", "tseq": 0,
    "t": "2026-05-04T08:00:00.000Z", "latitude": 1.5, "longitude": 2.5,
}  # fmt: skip

POD: dict[str, Any] = {
    "typ": "pod", "v": 1, "unit": "van-12", "boot": "abcdef01", "log": "0000a001", "seq": 9, "rec": '{"seq":1}', "jws": "a..b",
}  # fmt: skip


def one(name: str, payload: bytes | dict[str, Any]) -> Item:
    (item,) = read(ROOT + name, payload if isinstance(payload, bytes) else json.dumps(payload).encode(), NOW_MS)
    return item


def track(points: list[TrackPoint], span: int = 60, **columns: list[int | None]) -> bytes:
    cols = codec.to_columns(points) | columns
    return codec.pack(Track(unit="van-12", boot="abcdef01", log="0000a001", tseq=1, span=span, cols=cols))


def test_an_event_becomes_a_record_with_its_payload_as_it_came() -> None:
    payload = json.dumps(EVENT).encode()
    item = one("up/event", payload)
    assert isinstance(item, Record)
    assert (item.series, item.number, item.span, item.event, item.t_ms) == (Series.SEQ, 7, 1, "trip.start", 1_777_881_600_000)
    assert (item.payload, item.fault) == (payload, None)
    assert item.data == '{"a": "\\u0000", "b": 1}'


def test_a_track_becomes_fixes() -> None:
    points = [TrackPoint(1, NOW_MS, 5, 6), TrackPoint(3, NOW_MS + 2, 7, 8)]
    item = one("up/track", track(points))
    assert isinstance(item, Fixes)
    assert (item.first, item.span, item.points) == (1, 60, points)


def test_columns_of_a_newer_version_are_not_thrown_away() -> None:
    payload = track([TrackPoint(1, NOW_MS, 5, 6)], hae_m=[48])
    fixes, record = read(ROOT + "up/track", payload, NOW_MS)
    assert isinstance(fixes, Fixes)
    assert isinstance(record, Record)
    assert (record.series, record.number, record.span, record.payload) == (Series.TSEQ, 1, 60, payload)
    assert record.fault == "columns of a newer version: hae_m"


@pytest.mark.parametrize(
    "point",
    [
        TrackPoint(1, NOW_MS, 900_000_001, 0),
        TrackPoint(1, NOW_MS, 0, -1_800_000_001),
        TrackPoint(1, -1, 0, 0),
        TrackPoint(1, 2**62, 0, 0),
        TrackPoint(1, NOW_MS, 0, 0, alt_m=2**40),
        TrackPoint(1, NOW_MS, 0, 0, sats=10**30),
    ],
)
def test_an_impossible_fix_is_kept_as_it_came_under_its_numbers(point: TrackPoint) -> None:
    item = one("up/track", track([point]))
    assert isinstance(item, Record)
    assert (item.series, item.number, item.span) == (Series.TSEQ, 1, 60)
    assert item.fault is not None
    assert item.fault.startswith("fix 1 ")


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"typ": "moon"},
        {"t": "2026-13-01T00:00:00.000Z"},
        {"t": 5},
        {"mono_ms": 2**64},
        {"mono_ms": TOP_INTEGER + 1},
        {"event": "Ünknown"},
        {"span": -1},
        {"data": []},
    ],
)
def test_a_numbered_event_that_breaks_the_contract_keeps_its_number(change: dict[str, Any]) -> None:
    item = one("up/event", EVENT | change)
    assert isinstance(item, Record)
    assert (item.series, item.number, item.span, item.event) == (Series.SEQ, 7, 1, None)
    assert item.fault


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"unit": "van-99"}, "of unit van-99"), ({"log": "x"}, "log"), ({"seq": 0}, "seq"), ({"seq": 2**60}, "seq"), ({"seq": None}, "seq")],
)
def test_an_event_without_a_number_of_this_unit_is_refused(change: dict[str, Any], reason: str) -> None:
    item = one("up/event", EVENT | change)
    assert isinstance(item, Refused)
    assert reason in item.reason


def test_a_span_that_leads_beyond_every_number_counts_for_one() -> None:
    item = one("up/event", EVENT | {"span": 2**53})
    assert isinstance(item, Record)
    assert item.span == 1


def test_a_state_carries_its_session() -> None:
    item = one("up/state", STATE | {"session": 2**70})
    assert isinstance(item, Report)
    assert (item.kind, item.state, item.session, item.at_ms) == ("state", "online", TOP_INTEGER, NOW_MS)


@pytest.mark.parametrize(
    ("t", "at_ms"),
    [
        ("2026-05-04T08:00:00.000Z", 1_777_881_600_000),
        (None, NOW_MS),
        ("2036-01-01T00:00:00.000Z", NOW_MS),
        ("1969-12-31T00:00:00.000Z", 0),
    ],
)
def test_a_time_ahead_of_ours_cannot_outlive_the_truth(t: str | None, at_ms: int) -> None:
    item = one("up/last", LAST | {"t": t})
    assert isinstance(item, Report)
    assert item.at_ms == at_ms


def test_a_kind_of_a_later_version_is_kept_under_its_number() -> None:
    plain = one("up/note", {"unit": "van-12", "log": "0000a001", "seq": 9, "tseq": 4})
    deflated = one("up/weather", zlib.compress(b'{"unit":"van-12","log":"0000a001","tseq":5,"span":3}'))
    assert isinstance(plain, Record)
    assert isinstance(deflated, Record)
    assert (plain.kind, plain.series, plain.number, plain.fault) == ("note", Series.SEQ, 9, None)
    assert (deflated.kind, deflated.series, deflated.number, deflated.span) == ("weather", Series.TSEQ, 5, 3)


def test_what_has_no_number_by_design_is_kept_as_the_newest() -> None:
    item = one("up/reported", {"unit": "van-12", "n": 4})
    assert isinstance(item, Report)
    assert item.kind == "reported"


def test_a_piece_of_an_attachment_is_kept_by_name_and_place() -> None:
    item = one("up/blob/" + "ab" * 32 + "/8192", b"\xff\x00")
    assert item == Blob(unit="van-12", sha="ab" * 32, at_byte=8192, payload=b"\xff\x00")


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("up/blob/" + "ab" * 32 + "/0", b""),
        ("up/blob/" + "ab" * 32 + "/0", b"x" * 8193),
        ("up/blob/" + "ab" * 32 + f"/{4 * 1024 * 1024}", b"x"),
        ("up/blob/abc/0", b"x"),
        ("up/blob/" + "ab" * 32 + "/x", b"x"),
    ],
)
def test_a_piece_that_fits_nowhere_is_refused(name: str, payload: bytes) -> None:
    assert isinstance(one(name, payload), Refused)


def test_a_proof_is_a_record_with_what_was_signed_byte_for_byte() -> None:
    payload = json.dumps(POD).encode()
    item = one("up/pod", payload)
    assert isinstance(item, SignedRecord)
    assert (item.rec, item.jws, item.unit) == ('{"seq":1}', "a..b", "van-12")
    assert (item.record.series, item.record.number, item.record.payload, item.record.fault) == (Series.SEQ, 9, payload, None)


@pytest.mark.parametrize("change", [{"rec": 5}, {"jws": None}, {"rec": "x" * 500_001}, {"rec": "a\x00b"}, {"boot": "?"}])
def test_a_proof_that_breaks_the_contract_is_kept_flagged_under_its_number(change: dict[str, Any]) -> None:
    item = one("up/pod", POD | change)
    if change == {"boot": "?"}:  # nor could the record be stored with it
        assert isinstance(item, Refused)
    else:
        assert isinstance(item, Record)
        assert (item.number, item.kind, bool(item.fault)) == (9, "pod", True)


@settings(max_examples=200, deadline=None)
@given(rec=st.text() | st.binary().map(repr))
def test_no_record_whatever_makes_its_claims_fail(rec: str) -> None:
    assert claims_of(rec)


@pytest.mark.parametrize("rec", ["[]", "5", "", "{", "[" * 100_000, '{"t":{"wall":5},"recipient":[],"seq":-1,"stop":{},"id":[]}'])
def test_a_record_that_says_nothing_readable_claims_nothing(rec: str) -> None:
    assert claims_of(rec) == Claims()


def test_what_a_record_claims_can_be_shown_and_stored() -> None:
    told = {
        "seq": 4,
        "id": "i",
        "stop": 4,
        "driver": "a\x00\u202eb",
        "recipient": {"name": "محمد"},
        "t": {"wall": "2026-05-04T08:00:00.000Z"},
    }
    claims = claims_of(json.dumps(told))
    assert (claims.chain_seq, claims.stop, claims.driver, claims.recipient) == (4, "4", "a??b", "محمد")
    assert claims.t_ms == 1_777_881_600_000


@pytest.mark.parametrize("topic", ["rp/v1/van-12/dn/receipt", "rp/v2/van-12/up/event", "rp/v1/VAN/up/event", "other", ""])
def test_a_foreign_topic_is_refused(topic: str) -> None:
    (item,) = read(topic, json.dumps(EVENT).encode(), NOW_MS)
    assert isinstance(item, Refused)


def test_a_reason_is_short_and_printable() -> None:
    item = one("up/event", EVENT | {"unit": "x", "typ": "\u0000\ud800" + "y" * 1000})
    assert isinstance(item, Refused)
    assert item.reason.isprintable()
    assert len(item.reason) <= REASON_LIMIT


def test_a_small_payload_that_unpacks_to_a_giant_is_refused() -> None:
    item = one("up/track", zlib.compress(b" " * 50_000_000))
    assert isinstance(item, Refused)


NAMES = st.sampled_from(
    ["up/event", "up/track", "up/state", "up/live", "up/last", "up/health", "up/reported", "up/pod", "up/reply", "up/x/y", "up/blob/0/0"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
CHANGES = st.dictionaries(st.sampled_from([*EVENT, "tseq", "span", "cols", "session", "ledger", "latitude"]), JSON, max_size=4)


@settings(max_examples=300, deadline=None)
@given(name=NAMES, payload=st.binary(max_size=60) | st.binary(max_size=60).map(zlib.compress))
def test_no_bytes_whatever_make_it_fail(name: str, payload: bytes) -> None:
    assert read(ROOT + name, payload, NOW_MS)


@settings(max_examples=300, deadline=None)
@given(name=NAMES, change=CHANGES, deflated=st.booleans())
def test_no_json_whatever_makes_it_fail_or_break_a_column(name: str, change: dict[str, Any], *, deflated: bool) -> None:
    payload = json.dumps({**EVENT, "typ": name.split("/")[1], **change}).encode()
    for item in read(ROOT + name, zlib.compress(payload) if deflated else payload, NOW_MS):
        if isinstance(item, Record):
            numbers = [item.number, item.number + item.span, item.t_ms or 0, item.mono_ms or 0]
            assert all(-TOP_INTEGER <= number <= TOP_INTEGER for number in numbers)
            assert all("\x00" not in (text or "") for text in (item.event, item.data, item.fault, item.boot))
