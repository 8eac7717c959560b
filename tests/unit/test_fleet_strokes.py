"""A signature as a drawing."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.terminal import signature
from fleet.strokes import StrokesError, read, svg

STROKES: dict[str, Any] = {"v": 1, "width": 600, "height": 200, "unit": "px/4", "fields": ["x", "y"], "strokes": [[10, 20, 5, -5]]}


def drawn(strokes: list[list[int]]) -> ET.Element:
    return ET.fromstring(svg(read(json.dumps(STROKES | {"strokes": strokes}).encode())))  # noqa: S314  # of our own making


def test_strokes_become_lines_at_their_places() -> None:
    (path,) = drawn(STROKES["strokes"]).iter("{http://www.w3.org/2000/svg}path")
    assert path.attrib["d"] == "M10 20L15 15"


def test_what_the_unit_keeps_of_a_signature_is_drawn_with_and_without_its_dynamics() -> None:
    pen = {"x": [40, 10, 110], "y": [80, -8, 0], "t": [0, 9, 9], "p": [128, 255, 255]}
    drawing = {"strokes": {"v": 1, "unit": "q", "w": 1200, "h": 400, "strokes": [pen]}}
    for dynamics in (False, True):
        assert 'd="M40 80L50 72 160 72"' in svg(read(signature.compact(signature.read(drawing), dynamics=dynamics)))


def test_a_dot_is_drawn_and_nothing_at_all_is_a_drawing_too() -> None:
    (path,) = drawn([[7, 9]]).iter("{http://www.w3.org/2000/svg}path")
    assert path.attrib["d"] == "M7 9L8 9"
    assert list(drawn([]).iter("{http://www.w3.org/2000/svg}path")) == []


def test_the_drawing_is_cut_to_the_signature() -> None:
    left, top, width, height = map(int, drawn([[1000, 500, 800, 400]]).attrib["viewBox"].split())
    assert left <= 1000
    assert top <= 500
    assert left + width >= 1800
    assert top + height >= 900
    assert width < 900


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"unit": "px"}, {"fields": ["y", "x"]}, {"fields": ["x"]}, {"strokes": [[1, 2, 3]]}, {"strokes": [[]]},
        {"strokes": [["1", 1]]}, {"strokes": [[1.5, 1]]}, {"strokes": [[10**6, 1]]}, {"strokes": [[1] * 60_000] * 2}, {"strokes": 5},
    ],
)  # fmt: skip
def test_what_is_no_signature_is_said_to_be_none(change: dict[str, Any]) -> None:
    with pytest.raises(StrokesError, match="cannot be drawn"):
        read(json.dumps(STROKES | change).encode())


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_whatever_draw_anything_else(data: bytes) -> None:
    with pytest.raises(StrokesError):
        read(data)
