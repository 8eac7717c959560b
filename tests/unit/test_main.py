"""The command itself."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from cli.main import MODULES, main
from firmware.version import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"roadproof {VERSION}\n")


def test_the_version_is_written_in_one_place() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = told["tool"]["setuptools"]["dynamic"]["version"]["attr"].rpartition(".")
    assert getattr(import_module(module), name) == VERSION
    assert told["project"]["dynamic"] == ["version"]


def test_every_package_of_the_code_is_installed() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tops = {name.partition(".")[0] for name in told["tool"]["setuptools"]["packages"]}
    there = {".".join(file.parent.relative_to(ROOT).parts) for top in tops for file in (ROOT / top).rglob("__init__.py")}
    assert sorted(there) == sorted(told["tool"]["setuptools"]["packages"])


def test_every_word_has_its_module() -> None:
    for module in dict.fromkeys(MODULES.values()):
        assert hasattr(import_module(f"cli.{module}"), "add_commands"), module
