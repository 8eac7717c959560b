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
    def run(*names: str | Path) -> Run:
        parser = argparse.ArgumentParser()
        add_commands(parser.add_subparsers())
        arguments = parser.parse_args(["scan", *map(str, names)])
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
    assert (found["text"], found["symbology"], found["aim"]) == ("00340123450000000017", "CODE128", "]C1")
    assert found["gs1"] == {"sscc": "340123450000000017"}
    assert found["picture"].endswith("label.jpg")
    assert len(found["corners"]) == 4
    assert found["ms"] > 0


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
