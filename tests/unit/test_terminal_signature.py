"""A signature as it is kept: small whole numbers, without how the pen moved unless that is asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from firmware.terminal import signature
from firmware.terminal.signature import SignatureError

NAME = [
    {"x": [40, 9, 111], "y": [80, 6, 154], "t": [0, 16, 17], "p": [51, 102, 255]},
    {"x": [400, -40], "y": [200, -40], "t": [400, 16], "p": [128, 128]},
]


def line(*x: int) -> dict[str, Any]:
    return {"x": list(x), "y": [0] * len(x), "t": [0] * len(x), "p": [0] * len(x)}


def drawn(strokes: Any = NAME, w: Any = 2_400, h: Any = 800, **others: Any) -> dict[str, Any]:
    """As the page sends it."""
    return {"strokes": {"v": 1, "unit": "q", "w": w, "h": h, "strokes": strokes, **others}, "width": 600, "height": 200}


def test_strokes_are_kept_as_differences_of_quarter_pixels() -> None:
    kept = msgspec.json.decode(signature.compact(signature.read(drawn()), dynamics=False))
    assert kept == {
        "v": 1, "unit": "px/4", "width": 2_400, "height": 800, "fields": ["x", "y"],
        "strokes": [[40, 80, 9, 6, 111, 154], [400, 200, -40, -40]],
    }  # fmt: skip


def test_time_and_pressure_are_left_out_unless_asked_for() -> None:
    kept = msgspec.json.decode(signature.compact(signature.read(drawn()), dynamics=True))
    assert kept["fields"] == ["x", "y", "t_ms", "p"]
    assert kept["strokes"][0] == [40, 80, 0, 51, 9, 6, 16, 51, 111, 154, 17, 153]


def test_120_points_stay_under_a_kilobyte() -> None:
    stroke = {"x": [40] + [16] * 119, "y": [400] + [20, -20] * 59 + [9], "t": [0] + [16] * 119, "p": [128] * 120}
    assert len(signature.compact(signature.read(drawn([stroke])), dynamics=False)) < 1_000


@pytest.mark.parametrize("strokes", [[line(20)], [line(20, 4), line(36)]])
def test_a_dot_is_no_signature(strokes: Any) -> None:
    with pytest.raises(SignatureError) as refusal:
        signature.read(drawn(strokes))
    assert refusal.value.key == "sign.empty"


@pytest.mark.parametrize(
    "data",
    [
        {}, [], None, {"strokes": []}, drawn([]), drawn("x"), drawn(None), drawn([{}]), drawn([line()]), drawn([line(0, 5_000)]),
        drawn([line(-900, 900)]), drawn([line(0, 10**12)]), drawn([{**line(1, 90), "y": [1]}]), drawn([{**line(1, 90), "t": [0, -5]}]),
        drawn([{**line(1, 90), "p": [0, 256]}]), drawn([{**line(1, 90), "x": [0.5, 90]}]), drawn(w=0), drawn(h=10**9), drawn(v=2),
        drawn(unit="px"), drawn([line(*[1] * 5_001)]), drawn([line(1, 90)] * 501), drawn([line(*[1] * 4_000)] * 2),
    ],
)  # fmt: skip
def test_what_is_no_drawing_is_refused_without_an_exception_of_another_kind(data: Any) -> None:
    with pytest.raises(SignatureError) as refusal:
        signature.read(data)
    assert refusal.value.key == "sign.ill_formed"
