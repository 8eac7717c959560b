"""What is believed of what the two engines read, and that each reads what it is there for."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest
from PIL import Image

from drivers.barcode.barcode import Answer, Barcode, Engines
from drivers.barcode.child import MESSAGE_BYTES, _packed
from drivers.barcode.engines import Engine, Zbar, Zxing
from drivers.barcode.policy import believed, is_doubtful
from drivers.barcode.reader import Reader
from drivers.barcode.regions import Pixels
from tests.pictures import coded

HURRIED_MS = 2_000.0  # plenty, and yet the order of a frame of the stream
# Two versions of one message in two QR codes (structured append); the second one is not in the picture.
FIRST_OF_TWO = """
#######..#.##.####### #.....#.##.#..#.....# #.###.#.##..#.#.###.# #.###.#..#.#..#.###.# #.###.#.#...#.#.###.# #.....#.#..##.#.....#
#######.#.#.#.####### ........#####........ ##.#..##.##...###.##. ##.#.........#.#.#.## #..####.....###...### #.#....###.#.#.#.#.##
.###..##.##.#.#.#.#.# ........#.##...##.... #######.#.#.....###.. #.....#...####.#..... #.###.#...##.##..#.## #.###.#.####...##.###
#.###.#..#..#...###.# #.....#.#....##....## #######.#..##..#..#..
"""


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def luma(picture: Image.Image) -> Pixels:
    return np.array(picture.convert("L"))


def texts(reader: Reader, picture: Image.Image) -> list[str]:
    return [found.text for found in reader.read(luma(picture), HURRIED_MS)]


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


def test_signs_that_no_shipper_writes_are_not_believed_of_a_close_look() -> None:
    misread, usual = "1ZK9SRA6*J'Z5AJNPJ", "420 12345\x1d92-001/9.A"
    assert believed(misread, "CODE128") == misread
    assert believed(misread, "CODE128", close=True) is None
    assert believed(usual, "CODE128", close=True) == usual


@pytest.mark.parametrize(
    ("symbology", "lines", "close", "sharpened", "told"),
    [
        ("EAN13", 90, False, False, False),
        ("EAN13", 6, False, False, True),
        ("EAN13", 90, True, False, True),
        ("CODE128", 6, False, False, True),
        ("CODE128", 30, True, True, False),
        ("CODE39", 30, True, False, False),
        ("ITF", 30, True, True, True),
        ("QRCODE", 1, False, False, False),
    ],
)
def test_a_second_witness_is_wanted_where_proof_is_thin(symbology: str, lines: int, close: bool, sharpened: bool, told: bool) -> None:
    assert is_doubtful(symbology, lines, close=close, sharpened=sharpened) is told


KINDS = [
    ("TBA123456789012", "Code128", "]C0"),
    ("PKG12345678", "Code39", "]A0"),
    ("4006381333931", "EAN13", "]E0"),
    ("15400141288763", "ITF", "]I"),
    ("https://t.example.com/p/1", "QRCode", "]Q1"),
    ("PKG0123|R1|12345", "DataMatrix", "]d1"),
    ("SHIP|123456789012|JANE DOE", "PDF417", "]L2"),
    ("M112345678901234567890", "Aztec", "]z0"),
]


@pytest.mark.parametrize(("text", "kind", "aim"), KINDS)
def test_each_symbology_is_read_at_the_first_look(reader: Reader, text: str, kind: str, aim: str) -> None:
    (found,) = reader.read(luma(coded(text, kind)), HURRIED_MS)
    assert (found.text, found.symbology, found.engine, found.stage) == (text, kind.upper(), "zxing", "cheap")
    assert (found.aim or "").startswith(aim)
    assert len(found.corners) == 4


@pytest.mark.parametrize(("text", "kind", "aim"), KINDS[:5])
def test_pyzbar_alone_reads_linear_codes_and_qr(text: str, kind: str, aim: str) -> None:
    (found,) = Reader("pyzbar").read(luma(coded(text, kind, 4)), HURRIED_MS)
    assert (found.text, found.symbology, found.engine) == (text, kind.upper(), "pyzbar")
    assert (found.aim or "").startswith(aim)


@pytest.mark.parametrize("kind_of", [Zbar, Zxing], ids=("pyzbar", "zxing"))
@pytest.mark.parametrize(
    ("text", "kind", "aim", "told"),
    [
        ("(00)340123450000000017", "Code128", "]C1", "00340123450000000017"),
        ("(420)12345(92)001901234567890123", "Code128", "]C1", "42012345\x1d92001901234567890123"),
        ("(01)09506000134352(21)AB(10)L1", "QRCode", "]Q3", "010950600013435221AB\x1d10L1"),
        ("(01)09506000134352(21)AB(10)L1", "DataMatrix", "]d2", "010950600013435221AB\x1d10L1"),
    ],
)
def test_gs1_is_told_apart_and_its_separators_are_kept(kind_of: type[Engine], text: str, kind: str, aim: str, told: str) -> None:
    engine = kind_of()
    found = [(one.text, one.aim) for one in engine.read(luma(coded(text, kind, gs1=True)))]
    assert found == ([] if engine.name == "pyzbar" and kind == "DataMatrix" else [(told, aim)])


def test_a_plain_code_is_not_taken_for_gs1() -> None:
    for engine in (Zbar(), Zxing()):
        assert [one.aim for one in engine.read(luma(coded("00340123450000000017", "Code128")))] == ["]C0"]


def test_a_upc_is_the_ean_that_it_is(reader: Reader) -> None:
    for budget_ms in (HURRIED_MS, None):
        (found,) = reader.read(luma(coded("036000291452", "UPCA")), budget_ms)
        assert (found.text, found.symbology) == ("0036000291452", "EAN13")


@pytest.mark.parametrize("kind_of", [Zbar, Zxing], ids=("pyzbar", "zxing"))
def test_letters_beyond_ascii_are_not_guessed_at(kind_of: type[Engine]) -> None:
    assert [found.text for found in kind_of().read(luma(coded("Straße ã Łódź", "QRCode")))] == ["Straße ã Łódź"]


def test_two_codes_of_two_kinds_are_told_once_each(reader: Reader) -> None:
    paper = Image.new("L", (900, 500), 255)
    paper.paste(coded("TBA123456789012", "Code128"), (0, 0))
    paper.paste(coded("PKG0123|R1|12345", "DataMatrix", 5), (500, 200))
    for budget_ms in (HURRIED_MS, None):
        assert sorted(found.symbology for found in reader.read(luma(paper), budget_ms)) == ["CODE128", "DATAMATRIX"]


def test_several_labels_are_all_told(reader: Reader) -> None:
    numbers = [f"TBA12345678901{n}" for n in range(4)]
    paper = Image.new("L", (700, 1_000), 255)
    for row, text in enumerate(numbers):
        paper.paste(coded(text, "Code128"), (20, 20 + 240 * row))
    assert sorted(texts(reader, paper)) == numbers


@pytest.mark.parametrize("size", [(0, 0), (0, 480), (640, 0), (1, 1), (7, 7), (8, 8), (3_000, 8), (8, 3_000), (33, 33), (640, 480)])
def test_nothing_is_read_from_nothing_of_any_size(reader: Reader, size: tuple[int, int]) -> None:
    for budget_ms in (HURRIED_MS, None):
        assert reader.read(np.full(size, 128, np.uint8), budget_ms) == []


def test_a_board_without_zxing_reads_with_pyzbar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    readers = (Reader("both"), Reader("zxing"), Reader("pyzbar"))
    for alone in readers:
        (found,) = alone.read(luma(coded("4006381333931", "EAN13")), None)
        assert (found.text, found.engine) == ("4006381333931", "pyzbar")


# --- pyzbar's traps


def test_an_orientation_that_pyzbar_does_not_know_loses_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyzbar import pyzbar, wrapper

    unknown = ctypes.c_uint(-1).value
    monkeypatch.setattr(pyzbar, "zbar_symbol_get_orientation", lambda _symbol: unknown)
    picture = coded("4006381333931", "EAN13")
    with pytest.raises(ValueError, match="ZBarOrientation"):
        pyzbar.decode(picture, symbols=[wrapper.ZBarSymbol.EAN13])
    assert [found.text for found in Zbar().read(luma(picture))] == ["4006381333931"]


def structured_append() -> Image.Image:
    """A picture with one of two QR codes of a message, and an EAN below it."""
    modules = np.array([[module == "#" for module in row] for row in FIRST_OF_TWO.split()])
    drawn = np.where(np.kron(modules, np.ones((4, 4))) > 0, 0, 255).astype(np.uint8)
    paper = Image.new("L", (480, 420), 255)
    paper.paste(Image.fromarray(drawn), (40, 30))
    paper.paste(coded("4006381333931", "EAN13"), (20, 150))
    return paper


def test_a_part_of_a_message_in_several_qr_codes_does_not_lose_the_frame(reader: Reader) -> None:
    from pyzbar import pyzbar

    with pytest.raises(ValueError, match="ZBarOrientation"):
        pyzbar.decode(structured_append())
    assert [found.text for found in Zbar().read(luma(structured_append()))] == ["4006381333931"]
    assert sorted(texts(reader, structured_append())) == ["4006381333931", "PKG-0001"]


def test_bytes_of_a_qr_code_stay_what_they_are() -> None:
    text = "".join(map(chr, range(0x80, 0x100)))  # not UTF-8 and, to pyzbar, half a Chinese novel
    made = [found.raw for found in Zbar().read(luma(coded(text, "QRCode")))]
    assert made in ([text.encode()], [text.encode("latin-1")])


@pytest.mark.parametrize(("text", "kind"), [("TBA123456789012", "Code128"), ("4006381333931", "EAN13"), ("15400141288763", "ITF")])
@pytest.mark.parametrize("engines", ["pyzbar", "zxing", "both"])
def test_white_bars_on_black_are_read(text: str, kind: str, engines: Engines) -> None:
    picture = Image.eval(coded(text, kind), lambda value: 255 - value)
    assert list(Zbar().read(luma(picture))) == []
    assert texts(Reader(engines), picture) == [text]


def test_databar_is_off_and_says_nothing_on_standard_error(reader: Reader, capfd: pytest.CaptureFixture[str]) -> None:
    picture = luma(coded("(01)09506000134352", "DataBarExp"))
    assert [found.symbology for engine in (Zbar(), Zxing()) for found in engine.read(picture)] == []
    assert reader.read(picture, None) == []
    assert capfd.readouterr().err == ""


def test_a_code_of_3000_control_bytes_is_read_as_they_are_or_not_at_all(reader: Reader) -> None:
    text = "".join(chr(1 + number % 31) for number in range(2_000))
    assert texts(reader, coded(text, "QRCode", 2)) in ([text], [])


def test_no_engine_keeps_hold_of_a_picture_or_changes_it() -> None:
    for engine in (Zbar(), Zxing()):
        pixels = luma(coded("4006381333931", "EAN13"))
        before, references = pixels.copy(), sys.getrefcount(pixels)
        assert [found.text for found in engine.read(pixels)]
        assert sys.getrefcount(pixels) == references
        assert np.array_equal(pixels, before)


def test_a_picture_full_of_long_codes_is_cut_to_one_packet() -> None:
    code = Barcode(text="x" * 4_000, symbology="QRCODE", aim=None, corners=(), engine="zxing", stage="cheap", ms=1.0, raw=b"x" * 4_000)
    packed = _packed(Answer(barcodes=(code,) * 40))
    assert 8_000 < len(packed) <= MESSAGE_BYTES
