"""The bench of scanning draws what it says, the same for the same seed, and finds its own labels; what it measures is nobody's test."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from cli.bench import labels, scan
from cli.errors import UsageError

needs_zint = pytest.mark.skipif(shutil.which("zint") is None, reason="needs zint: apt-get install zint")


@needs_zint
def test_a_frame_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    one, same, other = (labels.frame("clean", "SSCC", seed) for seed in (1, 1, 2))
    assert np.array_equal(one.luma, same.luma)
    assert one.text == same.text != other.text
    assert one.luma.shape == (960, 1_280)


@needs_zint
def test_a_separator_stands_after_a_field_that_may_end_anywhere_and_nowhere_else() -> None:
    _, text = labels.label("GS1-128", random.Random(1))
    assert (text[:3], text[8], text.count("\x1d")) == ("420", "\x1d", 1)


@needs_zint
def test_every_symbology_is_read_where_nothing_is_in_the_way() -> None:
    for symbology in labels.SYMBOLOGIES:
        told = scan.labels(3, ("clean",), (symbology,))
        assert (told["scan"], told["scan, wrong values"]) == (100.0, 0.0), symbology


@needs_zint
def test_each_figure_is_measured() -> None:
    told = {
        **scan.labels(1, ("low light", "inverted", "any rotation"), ("SSCC",)),
        **scan.nothing(1, scenery=0),
        **scan.approach(1, times=1, symbologies=("Code 128",)),
    }
    assert set(told) == {figure.name for figure in scan.FIGURES}


def test_without_zint_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    labels._encoded.cache_clear()
    with pytest.raises(UsageError, match="apt-get install zint"):
        labels.frame("clean", "SSCC", 1)


def test_light_and_inversion_are_what_the_condition_says() -> None:
    chance = np.random.default_rng(1)
    white = np.full((96, 128), 200, np.float32)
    dark = labels._exposed(white, labels.Condition(light=0.1, noise=0), chance)
    assert 15 < dark.mean() < 25
    shaded = labels._exposed(white, labels.Condition(shadow=0.9, noise=0), chance)
    assert shaded.min() < 40
    assert shaded.max() > 150
