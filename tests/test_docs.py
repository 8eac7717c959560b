"""What the documentation promises exists: links lead somewhere, commands can be typed, settings are known."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from cli.bench import page as page_of_performance
from cli.bench import result
from cli.faults import HARMS
from cli.faults import page as page_of_faults
from cli.main import parser
from firmware.config import Config
from firmware.kiosk import wording
from fleet.config import FleetSettings
from mqtt import settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(page for page in ROOT.rglob("*.md") if ".venv" not in page.parts and "node_modules" not in page.parts)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#:]*)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?:^|&& |\| |sudo )(?:\./|[\w/.]*/)?roadproof ([a-z][^|>&#;)\n]*)", re.MULTILINE)
QUOTED = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")  # *like this*
RUNS = ROOT / "docs" / "faults.jsonl"
PICTURES = ROOT / "docs" / "pictures"
PICTURE_BYTES = 60_000  # a repository keeps every version of a picture
LAUNCHER_WORDS = {"test", "setup"}  # the launcher's own


def _blocks(page: Path, *kinds: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind in kinds]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_into_a_page_finds_its_heading(page: Path) -> None:
    links = [(page.parent / name if name else page, anchor) for name, anchor in ANCHOR.findall(page.read_text(encoding="utf-8"))]
    assert [(target.name, anchor) for target, anchor in links if anchor not in _anchors(target)] == []


def _anchors(page: Path) -> set[str]:
    """The headings as a web page names them."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in HEADING.findall(page.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    for text in _blocks(page, "sh", "shell", "bash", "console"):
        for words in COMMAND.findall(text.replace("\\\n", " ")):
            arguments = shlex.split(words)
            if arguments[0] not in LAUNCHER_WORDS and "--help" not in arguments:
                assert parser().parse_args(arguments).run, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_settings_file_of_a_page_is_accepted(page: Path) -> None:
    for text in _blocks(page, "toml"):
        table = tomllib.loads(text)
        kind = Config if "unit" in table else FleetSettings if "broker" in table else None
        if kind is not None:
            settings.read(table, kind)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page_of_faults.PLACE.search(page.read_text(encoding="utf-8"))], ids=lambda page: page.name
)
def test_no_figure_of_the_faults_is_typed_by_hand(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert page_of_faults.filled(text, page_of_faults.read(RUNS)) == text, (
        "write the tables anew: ./roadproof faults table docs/faults.jsonl --into docs/faults.md README.md"
    )


def test_every_run_of_the_faults_page_can_be_typed_again() -> None:
    for run in page_of_faults.read(RUNS):
        assert run.command, run
        assert vars(parser("faults").parse_args(shlex.split(run.command)[1:])).get("seed") == run.seed


def test_the_faults_page_tells_of_every_harm() -> None:
    text = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert [harm for harm in HARMS if f"./roadproof faults {harm}" not in text] == []


def test_no_figure_of_the_performance_page_is_typed_by_hand(tmp_path: Path) -> None:
    docs = ROOT / "docs"
    page_of_performance.write(tmp_path / "performance.md", result.read([docs / "performance.json"]))
    made = [file.relative_to(tmp_path) for file in tmp_path.rglob("*.*")]
    assert [str(file) for file in made if (docs / file).read_bytes() != (tmp_path / file).read_bytes()] == [], (
        "write it anew: ./roadproof bench --from docs/performance.json --markdown docs/performance.md"
    )
    assert {file.name for file in (docs / "plots").iterdir()} == {file.name for file in made if file.suffix == ".svg"}


def test_every_picture_is_shown_by_a_page_and_small() -> None:
    shown = {(page.parent / link).resolve() for page in PAGES for link in LINK.findall(page.read_text(encoding="utf-8"))}
    taken = set(PICTURES.iterdir())
    assert taken - shown == set()
    assert [path.name for path in taken if path.stat().st_size > PICTURE_BYTES] == []


def test_the_drivers_page_quotes_the_screen_word_for_word() -> None:
    said = [form for text in wording.used().values() for form in ([text] if isinstance(text, str) else text)]
    quoted = QUOTED.findall((ROOT / "docs" / "driver.md").read_text(encoding="utf-8"))
    assert [words for words in quoted if not any(text.startswith(words) for text in said)] == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    asked = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip("this copy of the project is no git checkout")
    listed = asked.stdout.split()
    home = str(ROOT) + "/"
    assert [name for name in listed if (ROOT / name).is_file() and home.encode() in (ROOT / name).read_bytes()] == []


def test_every_command_has_a_help_with_an_example() -> None:
    without = []
    for words in _commands(parser(), ()):
        told = _help_of(words)
        if "example" not in told:
            without.append(" ".join(words))
    assert without == []


def _commands(command: object, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = [action.choices for action in getattr(command, "_actions", []) if action.__class__.__name__ == "_SubParsersAction"]
    if not below:
        return [words]
    return [found for name, deeper in below[0].items() for found in _commands(deeper, (*words, name))]


def _help_of(words: tuple[str, ...]) -> str:
    command = parser()
    for word in words:
        (group,) = [action for action in command._actions if action.__class__.__name__ == "_SubParsersAction"]
        choices = group.choices
        assert isinstance(choices, dict)
        command = choices[word]
    return command.format_help()
