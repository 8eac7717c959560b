"""In which order a picture's places are looked at, when a frame is not worth it, and what the reader makes of its time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageFilter

from drivers.barcode.engines import Reading, Wanted
from drivers.barcode.finder import locate
from drivers.barcode.gate import ALIKE_MOST, Gate
from drivers.barcode.ladder import LINEAR, MATRIX, Climber, rungs
from drivers.barcode.reader import Reader
from drivers.barcode.regions import Pixels, Region
from tests.pictures import coded

NOTHING_MS = 0.001
PLENTY_MS = 5_000.0


def noisy(scene: Image.Image | Pixels, seed: int, noise: float = 2.0) -> Pixels:
    pixels = np.asarray(scene, float)
    return np.clip(pixels + np.random.default_rng(seed).normal(0, noise, pixels.shape), 0, 255).astype(np.uint8)


def paper(code: Image.Image, turn_deg: float = 0.0) -> Image.Image:
    scene = Image.new("L", (1_280, 960), 110)
    turned = code.convert("LA").rotate(turn_deg, expand=True, resample=Image.Resampling.BICUBIC)
    scene.paste(turned.getchannel(0), (300, 250), turned.getchannel(1))
    return scene


def region(*, linear: bool, at: int = 100) -> Region:
    places = (np.arange(at, at + 300, 16, dtype=np.float32), np.arange(at, at + 300, 16, dtype=np.float32))
    made = Region(linear=linear, strength=1.0, places=places)
    made.lay((1.0, 0.0), (0.0, 1.0))
    return made


def climber(*, linear: bool) -> Climber:
    return Climber(Image.new("L", (640, 480)), region(linear=linear))


# --- the ladder


def test_every_rung_of_every_place_is_climbed_once_and_in_its_own_order() -> None:
    places = [climber(linear=True), climber(linear=False), climber(linear=True)]
    order = rungs(places)
    assert [rung for place, rung in order if place is places[0]] == list(LINEAR)
    assert [rung for place, rung in order if place is places[1]] == list(MATRIX)
    assert len(order) == 2 * len(LINEAR) + len(MATRIX)


def test_the_likeliest_place_comes_first_and_the_next_one_before_its_last_rungs() -> None:
    first, second = climber(linear=True), climber(linear=True)
    order = [place for place, _ in rungs([first, second])]
    assert order[0] is first
    assert order.index(second) < len(LINEAR)


def test_a_large_place_costs_more_where_the_rung_looks_at_all_of_it() -> None:
    small, large = climber(linear=False), climber(linear=False)
    large.region.half_along_px *= 4
    assert large.price_ms(MATRIX[0]) > 2 * small.price_ms(MATRIX[0])
    assert large.price_ms(LINEAR[0]) == small.price_ms(LINEAR[0])


def test_cardboard_is_grey_and_a_code_is_black_and_white() -> None:
    code = paper(coded("PKG0123|R1|12345", "DataMatrix", 6))
    (found, *_) = [place for place in locate(noisy(code, 1)) if not place.linear]
    assert Climber(code, found).may_be_code
    grain = Image.fromarray(noisy(np.full((960, 1_280), 120), 2, 30)).filter(ImageFilter.GaussianBlur(2))
    assert not Climber(grain, found).may_be_code


def test_an_edge_has_too_few_bars_for_a_code() -> None:
    scene = Image.new("L", (640, 480), 40)
    scene.paste(200, (250, 0, 640, 480))
    assert not Climber(scene, region(linear=True)).may_be_code


@pytest.mark.parametrize("turn_deg", [15, 45, 90, 200])
@pytest.mark.parametrize(("text", "kind"), [("TBA123456789012", "Code128"), ("PKG12345678", "Code39"), ("PKG0123|R1|12345", "DataMatrix")])
def test_a_turned_code_is_read_by_a_close_look(turn_deg: float, text: str, kind: str) -> None:
    found = Reader().read(noisy(paper(coded(text, kind, 3), turn_deg), 1), PLENTY_MS)
    assert [barcode.text for barcode in found] == [text]


def test_corners_of_a_turned_code_lie_around_it() -> None:
    (found,) = Reader().read(noisy(paper(coded("TBA123456789012", "Code128"), 30), 1), PLENTY_MS)
    assert found.stage == "region"
    xs, ys = np.array(found.corners).T
    assert 280 < xs.min() < xs.max() < 1_000
    assert 230 < ys.min() < ys.max() < 900


# --- time


class Slow:
    """An engine that counts how often it is asked, and finds nothing."""

    name = "zxing"

    def __init__(self) -> None:
        self.asked = 0

    def read(self, _picture: Pixels, _wanted: Wanted = Wanted.ALL, *, fast: bool = False) -> Iterator[Reading]:  # noqa: ARG002  as the others
        self.asked += 1
        return iter(())


@pytest.fixture
def reader() -> tuple[Reader, Slow]:
    made, engine = Reader(), Slow()
    made._engines = (engine,)
    return made, engine


SCENE = paper(coded("TBA123456789012", "Code128"), 20)
LABEL = noisy(SCENE, 1)


def test_without_time_there_is_a_first_look_and_no_other(reader: tuple[Reader, Slow]) -> None:
    made, engine = reader
    assert made.read(LABEL, NOTHING_MS) == []
    assert engine.asked == 1


def test_with_time_every_rung_is_climbed(reader: tuple[Reader, Slow]) -> None:
    made, engine = reader
    assert made.read(LABEL, None) == []
    assert engine.asked > len(LINEAR)


def test_a_frame_like_the_last_failed_one_gets_a_first_look_alone(reader: tuple[Reader, Slow]) -> None:
    made, engine = reader
    made.watch(LABEL, PLENTY_MS)
    asked = engine.asked
    for seed in range(2, 6):
        made.watch(noisy(SCENE, seed), PLENTY_MS)
    assert engine.asked == asked + 4


def test_a_file_is_read_alike_however_often_it_is_asked_for(reader: tuple[Reader, Slow]) -> None:
    made, engine = reader
    made.read(LABEL, PLENTY_MS)
    asked = engine.asked
    made.read(LABEL, PLENTY_MS)
    assert engine.asked == 2 * asked


# --- the gate


def test_another_view_another_light_and_another_focus_are_looked_at_anew() -> None:
    scene = paper(coded("TBA123456789012", "Code128"))
    for other in (
        np.roll(np.asarray(scene), 60, axis=1),
        np.asarray(Image.eval(scene, lambda value: value * 9 // 10)),
        np.asarray(scene.filter(ImageFilter.GaussianBlur(2))),
    ):
        gate = Gate()
        assert gate.begin(noisy(scene, 1)) == 0
        gate.failed(None)
        assert gate.begin(noisy(scene, 2)) is None
        assert gate.begin(noisy(other, 3)) == 0


def test_a_look_that_ran_out_of_time_goes_on_where_it_stopped() -> None:
    gate = Gate()
    gate.begin(LABEL)
    gate.failed(17)
    assert gate.begin(LABEL) == 17
    gate.failed(None)
    assert gate.begin(LABEL) is None


def test_after_a_second_a_still_scene_is_looked_at_anew() -> None:
    gate = Gate()
    gate.begin(LABEL)
    gate.failed(None)
    begun = [gate.begin(LABEL) for _ in range(ALIKE_MOST + 1)]
    assert begun == [None] * ALIKE_MOST + [0]


def test_what_was_read_is_read_again_in_the_next_frame() -> None:
    gate = Gate()
    gate.begin(LABEL)
    gate.failed(None)
    gate.forget()
    assert gate.begin(LABEL) == 0


@pytest.mark.parametrize("size", [(640, 480), (9, 4_000), (8, 8)])
def test_a_covered_lens_is_not_worth_a_close_look(size: tuple[int, int]) -> None:
    assert Gate().begin(np.full(size, 3, np.uint8)) is None


def test_how_wide_the_bars_of_an_unread_code_are_is_told_until_it_is_read() -> None:
    reader, whole = Reader(), paper(coded("TBA123456789012", "Code128", 3))
    torn = whole.copy()
    torn.paste(255, (whole.width * 45 // 100, 0, whole.width * 55 // 100, whole.height))
    assert reader.watch(noisy(torn, 1), PLENTY_MS) == []
    assert reader.module_px == pytest.approx(3, rel=0.35)
    assert len(reader.watch(noisy(whole, 1), PLENTY_MS)) == 1
    assert reader.module_px is None


def test_a_clean_label_is_told_without_a_close_look_at_all_else_but_in_every_third_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Pixels] = []

    def located(luma: Pixels) -> list[Region]:
        looks.append(luma)
        return []

    monkeypatch.setattr("drivers.barcode.reader.locate", located)
    reader, scene = Reader(), noisy(paper(coded("TBA123456789012", "Code128", 3)), 1)
    told = [(len(reader.watch(scene, PLENTY_MS)), len(looks)) for _ in range(4)]
    assert told == [(1, 0), (1, 0), (1, 1), (1, 1)]
