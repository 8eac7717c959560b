"""What is believed of what the two engines read, and that each reads what it is there for."""

from __future__ import annotations

import ctypes

import pytest
from PIL import Image

from drivers.barcode.barcode import Answer, Barcode
from drivers.barcode.child import MESSAGE_BYTES, Reader, _packed
from drivers.barcode.engines import Zbar, Zxing
from drivers.barcode.policy import believed
from tests.pictures import coded


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def luma(picture: Image.Image) -> tuple[memoryview, int, int]:
    grey = picture.convert("L")
    return memoryview(bytearray(grey.tobytes())), grey.width, grey.height


@pytest.mark.parametrize(
    ("text", "symbology", "told"),
    [
        ("4006381333931", "EAN13", "4006381333931"),
        ("4006381333932", "EAN13", None),
        ("036000291452", "UPCA", "0036000291452"),
        ("03600029145X", "UPCA", None),
        ("15400141288763", "ITF", "15400141288763"),
        ("15400141288764", "ITF", None),
        ("123456", "ITF", None),
        ("12345", "CODE128", None),
        ("123456", "CODE128", "123456"),
        ("PKG-001", "CODE39", "PKG-001"),
        ("PKG%001", "CODE39", None),
        ("PKG", "CODE39", None),
        ("x", "QRCODE", "x"),
        ("", "QRCODE", None),
        ("7" * 4_297, "QRCODE", None),
        ("1234567", "CODABAR", None),
        ("0101234567890128", "DATABAR", None),
    ],
)
def test_only_trustworthy_readings_are_believed(text: str, symbology: str, told: str | None) -> None:
    assert believed(text, symbology) == told


@pytest.mark.parametrize(
    ("text", "kind", "aim", "engine"),
    [
        ("TBA123456789012", "Code128", "]C0", "pyzbar"),
        ("PKG12345678", "Code39", "]A0", "pyzbar"),
        ("4006381333931", "EAN13", "]E0", "pyzbar"),
        ("15400141288763", "ITF", "]I0", "pyzbar"),
        ("https://t.example.com/p/1", "QRCode", "]Q1", "pyzbar"),
        ("PKG0123|R1|12345", "DataMatrix", "]d1", "zxing"),
        ("SHIP|123456789012|JANE DOE", "PDF417", "]L2", "zxing"),
        ("M112345678901234567890", "Aztec", "]z0", "zxing"),
    ],
)
def test_each_symbology_is_read_by_the_first_engine_that_can(reader: Reader, text: str, kind: str, aim: str, engine: str) -> None:
    (found,) = reader.read(*luma(coded(text, kind)), thorough=False)
    assert (found.text, found.symbology, found.aim, found.engine) == (text, kind.upper(), aim, engine)
    assert len(found.corners) == 4


@pytest.mark.parametrize(
    ("text", "kind", "aim", "told"),
    [
        ("(00)340123450000000017", "Code128", "]C1", "00340123450000000017"),
        ("(420)12345(92)001901234567890123", "Code128", "]C1", "42012345\x1d92001901234567890123"),
        ("(01)09506000134352(21)AB(10)L1", "DataMatrix", "]d2", "010950600013435221AB\x1d10L1"),
        ("(01)09506000134352(21)AB(10)L1", "QRCode", "]Q3", "010950600013435221AB\x1d10L1"),
    ],
)
def test_gs1_is_told_apart_and_its_separators_are_kept(reader: Reader, text: str, kind: str, aim: str, told: str) -> None:
    (found,) = reader.read(*luma(coded(text, kind, gs1=True)), thorough=False)
    assert (found.text, found.aim) == (told, aim)


def test_a_upc_is_the_ean_that_it_is(reader: Reader) -> None:
    for thorough in (False, True):
        (found,) = reader.read(*luma(coded("036000291452", "UPCA")), thorough=thorough)
        assert (found.text, found.symbology) == ("0036000291452", "EAN13")


def test_letters_beyond_ascii_are_not_guessed_at(reader: Reader) -> None:
    (found,) = reader.read(*luma(coded("Straße ã Łódź", "QRCode")), thorough=False)
    assert (found.text, found.engine) == ("Straße ã Łódź", "pyzbar")


def test_thorough_reads_with_both_and_tells_each_code_once(reader: Reader) -> None:
    paper = Image.new("L", (900, 500), 255)
    paper.paste(coded("TBA123456789012", "Code128"), (0, 0))
    paper.paste(coded("PKG0123|R1|12345", "DataMatrix", 5), (500, 200))
    assert [code.engine for code in reader.read(*luma(paper), thorough=False)] == ["pyzbar"]
    assert [(code.symbology, code.engine) for code in reader.read(*luma(paper), thorough=True)] == [
        ("CODE128", "pyzbar"),
        ("DATAMATRIX", "zxing"),
    ]


def test_several_labels_are_all_told(reader: Reader) -> None:
    texts = [f"TBA12345678901{n}" for n in range(4)]
    paper = Image.new("L", (700, 1_000), 255)
    for row, text in enumerate(texts):
        paper.paste(coded(text, "Code128"), (20, 20 + 240 * row))
    assert sorted(code.text for code in reader.read(*luma(paper), thorough=False)) == texts


def test_nothing_is_read_from_nothing(reader: Reader) -> None:
    assert reader.read(*luma(Image.new("L", (640, 480), 128)), thorough=True) == []


def test_an_orientation_that_pyzbar_does_not_know_loses_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyzbar import pyzbar, wrapper

    unknown = ctypes.c_uint(-1).value
    monkeypatch.setattr(pyzbar, "zbar_symbol_get_orientation", lambda _symbol: unknown)
    picture = coded("4006381333931", "EAN13")
    with pytest.raises(ValueError, match="ZBarOrientation"):
        pyzbar.decode(picture, symbols=[wrapper.ZBarSymbol.EAN13])
    assert [found.text for found in Zbar().read(*luma(picture))] == ["4006381333931"]


def test_the_picture_is_let_go_of_after_reading() -> None:
    for engine in (Zbar(), Zxing()):
        pixels, width, height = luma(coded("4006381333931", "EAN13"))
        assert [found.text for found in engine.read(pixels, width, height)]
        pixels.release()  # BufferError while anything still points into it


def test_a_picture_full_of_long_codes_is_cut_to_one_packet() -> None:
    code = Barcode(text="x" * 4_000, symbology="QRCODE", aim=None, corners=(), engine="zxing", ms=1.0, raw=b"x" * 4_000)
    packed = _packed(Answer(barcodes=(code,) * 40))
    assert 8_000 < len(packed) <= MESSAGE_BYTES
