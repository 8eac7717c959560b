"""The printed page for hand scanners: what it promises beside each code is what comes out of it."""

from __future__ import annotations

import html

import numpy as np
import pytest
import zxingcpp

from cli import scanner
from drivers.wedge.reading import reading_of
from provisioning import scanner_page
from provisioning.scanner_page import SAMPLES, Sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_code_says_what_stands_beside_it(sample: Sample) -> None:
    options = {"gs1": True} if sample.gs1 else {}
    drawn = zxingcpp.create_barcode(sample.drawn, getattr(zxingcpp.BarcodeFormat, sample.kind), **options)
    (found,) = zxingcpp.read_barcodes(np.array(drawn.to_image(scale=3)), text_mode=zxingcpp.TextMode.Plain)
    assert (found.text, found.symbology_identifier) == (sample.text, sample.aim)
    reading = reading_of(sample.aim + sample.text, "s")
    assert reading is not None
    assert scanner_page.expected(sample) in scanner.told(reading)
    assert html.escape(scanner_page.expected(sample)) in scanner_page.page()


def test_the_page_that_is_printed_is_the_one_that_is_tested() -> None:
    assert scanner_page.PAGE.read_text(encoding="utf-8") == scanner_page.page(), "python -P -m provisioning.scanner_page"
