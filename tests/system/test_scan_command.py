"""`roadproof scan`: pictures in, one JSON object a code out, one sentence for each picture that cannot be used."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.scan import add_commands
from tests.pictures import coded, huge_png, jpeg, parcel, png


class Run:
    """What a run of the command left."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code = code
        self.found: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
        self.errors = errors.splitlines()


@pytest.fixture
def scan(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*names: str | Path, options: tuple[str, ...] = ()) -> Run:
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        arguments = parser.parse_args(["scan", *options, *map(str, names)])
        code = int(arguments.run(arguments))
        captured = capsys.readouterr()
        return Run(code, captured.out, captured.err)

    return run


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_each_code_is_one_object_with_its_gs1_fields(scan: Any, tmp_path: Path) -> None:
    run = scan(kept(tmp_path / "label.jpg", jpeg(parcel())))
    (found,) = run.found
    assert run.code == 0
    assert (found["text"], found["symbology"], found["aim_id"]) == ("00340123450000000017", "CODE128", "]C1")
    assert found["gs1"] == {"sscc": "340123450000000017"}
    assert found["picture"].endswith("label.jpg")
    assert len(found["corners"]) == 4
    assert found["ms"] > 0
    assert list(found) == ["picture", "text", "symbology", "aim_id", "gs1", "corners", "engine", "stage", "ms"]


def test_several_pictures_and_codes_are_all_told(scan: Any, tmp_path: Path) -> None:
    both = Image.new("L", (900, 600), 255)
    both.paste(coded("(01)09506000134352(17)270131(10)L1", "DataMatrix", 5, gs1=True), (0, 0))
    both.paste(coded("TBA123456789012", "Code128"), (300, 300))
    run = scan(kept(tmp_path / "both.png", png(both)), kept(tmp_path / "one.png", png(coded("PKG12345678", "Code39"))))
    told = {found["text"]: found["gs1"] for found in run.found}
    assert told == {
        "010950600013435217270131" + "10L1": {"gtin": "09506000134352", "lot": "L1", "expiry": "2027-01-31"},
        "TBA123456789012": None,
        "PKG12345678": None,
    }


def test_a_wrong_check_digit_is_told_with_the_code(scan: Any, tmp_path: Path) -> None:
    made = coded("(01)09506000134352", "DataMatrix", 5, gs1=True)
    assert scan(kept(tmp_path / "good.png", png(made))).found[0]["gs1"] == {"gtin": "09506000134352"}


def test_a_picture_comes_through_standard_input(scan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(jpeg(parcel()))))
    run = scan("-")
    assert [(found["picture"], found["text"]) for found in run.found] == [("-", "00340123450000000017")]


def test_a_picture_without_a_code_is_no_error(scan: Any, tmp_path: Path) -> None:
    run = scan(kept(tmp_path / "empty.png", png(Image.new("L", (320, 240), 200))))
    assert (run.code, run.found, run.errors) == (0, [], [])


def test_hostile_and_huge_pictures_are_one_sentence_and_the_others_are_still_read(scan: Any, tmp_path: Path) -> None:
    hostile = [
        (kept(tmp_path / "huge.png", huge_png(10_000, 5_000)), "the picture has 50 megapixels and 25 is the limit"),
        (kept(tmp_path / "bomb.png", huge_png(200_000, 200_000)), "megapixels and 25 is the limit"),
        (kept(tmp_path / "half.jpg", jpeg(parcel())[:5_000]), "the picture is damaged"),
        (kept(tmp_path / "text.jpg", b"Dear Sir"), "no picture that can be read"),
        (kept(tmp_path / "void.jpg", b""), "the picture is empty"),
        (tmp_path / "none.jpg", "no such file"),
        (tmp_path, "is a directory"),
    ]
    good = kept(tmp_path / "good.jpg", jpeg(parcel()))
    run = scan(*(path for path, _ in hostile), good)
    assert run.code == 1
    assert [found["picture"] for found in run.found] == [str(good)]
    assert len(run.errors) == len(hostile)
    for line, (path, said) in zip(run.errors, hostile, strict=True):
        assert line.startswith(f"roadproof scan: {path}: ")
        assert said in line


@pytest.mark.parametrize(
    ("decoder", "kind", "engine"), [("pyzbar", "Code128", "pyzbar"), ("zxing", "Code128", "zxing"), ("both", "PDF417", "zxing")]
)
def test_the_engine_can_be_chosen(scan: Any, tmp_path: Path, decoder: str, kind: str, engine: str) -> None:
    run = scan(kept(tmp_path / "label.png", png(coded("TBA123456789012", kind))), options=("--decoder", decoder))
    assert [(found["text"], found["engine"]) for found in run.found] == [("TBA123456789012", engine)]


def test_pyzbar_alone_reads_no_pdf417(scan: Any, tmp_path: Path) -> None:
    assert scan(kept(tmp_path / "label.png", png(coded("TBA123456789012", "PDF417"))), options=("--decoder", "pyzbar")).found == []


def test_with_a_budget_a_clean_label_is_read_at_the_first_look_and_without_one_as_a_still(scan: Any, tmp_path: Path) -> None:
    label = kept(tmp_path / "label.png", png(coded("TBA123456789012", "Code128")))
    assert [found["stage"] for found in scan(label, label, options=("--budget-ms", "500")).found] == ["cheap", "cheap"]
    assert [found["stage"] for found in scan(label).found] == ["still"]


def test_a_turned_label_is_read_by_the_close_look(scan: Any, tmp_path: Path) -> None:
    turned = Image.new("L", (900, 900), 90)
    code = coded("TBA123456789012", "Code128").rotate(37, expand=True, fillcolor=90)
    turned.paste(code, (100, 150))
    run = scan(kept(tmp_path / "turned.png", png(turned)), options=("--budget-ms", "2000"))
    assert [(found["text"], found["stage"]) for found in run.found] == [("TBA123456789012", "region")]


@pytest.mark.parametrize("budget", ["0", "-5", "10001", "soon", "nan"])
def test_a_budget_out_of_range_is_refused(scan: Any, budget: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        scan("label.jpg", options=(f"--budget-ms={budget}",))
    assert "--budget-ms" in capsys.readouterr().err


def test_pictures_of_the_oddest_shapes_are_no_error(scan: Any, tmp_path: Path) -> None:
    shapes = ((1, 1), (1, 5_000), (20_000, 2), (9, 9), (3_000, 12))
    files = [kept(tmp_path / f"{width}.png", png(Image.effect_noise((width, height), 90))) for width, height in shapes]
    run = scan(*files)
    assert (run.code, run.found, run.errors) == (0, [], [])


def test_a_code_of_thousands_of_control_characters_is_one_line_or_none(scan: Any, tmp_path: Path) -> None:
    made = coded("".join(chr(1 + number % 31) for number in range(2_000)), "QRCode", 3)
    run = scan(kept(tmp_path / "control.png", png(made)))
    assert run.code == 0
    assert [len(found["text"]) for found in run.found] in ([2_000], [])
