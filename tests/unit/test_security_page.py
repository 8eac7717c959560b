"""docs/security-provisions.md promises nothing that no test holds, and the threat model leaves no way in without a word."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security-provisions.md"
THREATS = ROOT / "docs/threat-model.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PROVISIONS = 35
STATES = {"holds", "in part", "not yet"}
Row = tuple[str, ...]


def rows(text: str) -> list[Row]:
    """The rows of every table in a text, without their headings."""
    cells = [tuple(cell.strip() for cell in line.strip("| \n").split(" | ")) for line in text.splitlines() if line.startswith("| ")]
    return [row for row in cells if row[0] not in {"#", "way in"}]


def provisions() -> list[Row]:
    return rows(PAGE.read_text(encoding="utf-8"))


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


each_provision = pytest.mark.parametrize("row", provisions(), ids=lambda row: row[0])


def test_each_of_the_provisions_stands_there_once() -> None:
    assert sorted(int(row[0]) for row in provisions()) == list(range(1, PROVISIONS + 1))


@each_provision
def test_every_test_that_is_named_exists(row: Row) -> None:
    for file, name in TEST.findall(row[4]):
        assert (ROOT / file).is_file(), file
        assert name in names_in(file), f"{file} has no {name}"


@each_provision
def test_what_holds_names_a_test_and_what_does_not_says_what_is_missing(row: Row) -> None:
    _, provision, source, state, told = row
    assert provision
    assert source
    assert state in STATES
    sentence = re.sub(r"[\s,;:]+", " ", TEST.sub("", told)).strip()
    if state == "holds":
        assert TEST.search(told)
    else:
        assert sentence.endswith(".")
        assert len(sentence.split()) >= 5, f"one sentence of what is missing: {sentence}"


def test_a_name_that_looks_like_a_test_is_read_as_one() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(".py::") == len(TEST.findall(text))


def test_the_numbers_of_the_sources_are_said_to_be_unverified() -> None:
    assert "**not verified**" in PAGE.read_text(encoding="utf-8")


def test_the_way_to_report_a_weakness_is_written_down() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for said in ("private vulnerability reporting", "90 days", "advisory", "working days"):
        assert said in text


def test_the_threat_model_names_a_harm_and_a_rest_for_every_way_in() -> None:
    ways = rows(THREATS.read_text(encoding="utf-8").partition("## Ways in")[2].partition("\n## ")[0])
    assert len(ways) > 15
    for way in ways:
        assert len(way) == 6, way
        assert all(way), way
        assert set(way[4:]) <= {"low", "middle", "high"}, way
