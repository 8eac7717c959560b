"""Canonical JSON: one spelling a value, and no other is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.evidence import EvidenceError
from mqtt.evidence.canonical import jcs, read_canonical

KEYS = st.text("ABCXYZabcxyz0189_#-", min_size=1, max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12)


def spelled(value: Any) -> str:
    """RFC 8785 section 3.2 by hand, as slowly as it is written there."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{spelled(key)}:{spelled(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    if isinstance(value, str):
        short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
        return '"' + "".join(short.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value) + '"'
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


@given(VALUES)
def test_a_value_is_spelled_as_the_rfc_says_and_read_back(value: Any) -> None:
    data = jcs(value)
    assert data == spelled(value).encode()
    assert read_canonical(data) == value


@given(VALUES)
def test_any_other_spelling_of_a_value_is_refused(value: Any) -> None:
    data = jcs(value)
    for other in (json.dumps(value, indent=1).encode(), json.dumps(value).encode(), b" " + data, data + b"\n", b"\xef\xbb\xbf" + data):
        if other != data:
            with pytest.raises(EvidenceError):
                read_canonical(other)


@given(st.binary(max_size=40))
def test_no_bytes_do_worse_than_being_refused(data: bytes) -> None:
    try:
        value = read_canonical(data)
    except EvidenceError:
        return
    assert jcs(value) == data


def test_characters_are_escaped_as_in_the_example_of_the_rfc() -> None:
    assert jcs({"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"}) == '{"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()


def test_large_numbers_end_where_javascript_loses_count() -> None:
    assert jcs([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"
    for number in (2**53, -(2**53)):
        with pytest.raises(EvidenceError, match="too large"):
            jcs(number)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"bytes", {1: 2}, {"ä": 1}, {"a.b": 1}, {'a"b': 1}, {"": 1}, "\ud800", {"a": [{"b": {1, 2}}]}, {None: 1}],
    ids=repr,
)
def test_what_has_no_one_spelling_is_refused(value: Any) -> None:
    with pytest.raises(EvidenceError):
        jcs(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"b":1,"a":1}', b"1.0", b"1e3", b"-0", b"01", b"NaN", b"Infinity", b'"\\u0041"',
        b'"\\/"', b'"\\u000A"', b'"\x01"', b'"\xed\xa0\x80"', b'"\\ud800"', b"9007199254740992", b"1" * 5000, b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(EvidenceError) as refused:
        read_canonical(data)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200
