"""Every setting of a wrong type, one after the other and all at once: each fault names its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import Progress

from cli.faults.config.file import NAME, TEXT
from cli.faults.config.verdict import Judge
from cli.faults.tally import Tally
from firmware import config as configs
from firmware.config import Config, SettingsError
from mqtt import settings
from mqtt.settings import OPTIONAL_SECTION

VALUES = ('"text"', '""', "7", "-1", "1e308", "nan", "true", "[]", "[7]", "{}", "{a = 1}", "2026-11-21T00:00:00Z", "9223372036854775807")


def with_value(text: str, key: str, value: str) -> str:
    """The file with another value for one key."""
    section, _, name = key.rpartition(".")
    here, lines = "", text.splitlines()
    for index, line in enumerate(lines):
        if line.startswith("["):
            here = line.strip("[]")
        elif here == section and line.startswith(f"{name} = "):
            lines[index] = f"{name} = {value}"
    return "\n".join(lines) + "\n"


def with_section(text: str, section: str, value: str) -> str:
    """The file with a value where a section stood."""
    before, _, after = text.partition(f"[{section}]\n")
    _, bracket, rest = after.partition("\n[")
    return f"{section} = {value}\n{before}{bracket.lstrip()}{rest}"


def keys() -> list[str]:
    """Every setting that holds a value."""
    return [setting.key for setting in settings.catalogue(Config) if setting.kind != OPTIONAL_SECTION]


def damage(folder: Path, progress: Progress, values: Sequence[str] = VALUES) -> Tally:
    """Start on each of these files, and see that what is wrong is named."""
    path = folder / NAME
    path.write_text(TEXT, encoding="utf-8")
    judge = Judge(path)
    spoilt = list(_spoilt(values))
    for key, text in progress.track(spoilt, description="settings of a wrong type"):
        judge.judge(text.encode(), f"{key} of a wrong type")
        judge.tally.add(_named(path, [key], must_fail=False))
    judge.judge(_all_wrong().encode(), "every setting of a wrong type")
    judge.tally.add(_named(path, keys(), must_fail=True))
    judge.tally.more = {"wrong_values": len(spoilt), "of_settings": len(keys())}
    return judge.tally


def _spoilt(values: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in keys():
        for value in values:
            yield key, with_value(TEXT, key, value)
    for section in dict.fromkeys(key.rpartition(".")[0] for key in keys() if "." in key):
        for value in values:
            yield section, with_section(TEXT, section, value)


def _all_wrong() -> str:
    """No setting is a date."""
    text = TEXT
    for key in keys():
        text = with_value(text, key, "2026-11-21")
    return text


def _named(path: Path, wrong: list[str], *, must_fail: bool) -> Tally:
    """Whether the faults, as `roadproof config check` shows them, name every one of these keys."""
    try:
        configs.load(path)
        faults = ["nothing is wrong"] if must_fail else wrong
    except SettingsError as error:
        faults = error.faults
    silent = [key for key in wrong if not any(key in fault for fault in faults)]
    return Tally(harm="config", corrupt=len(silent), examples=[f"no fault names {key}: {'; '.join(faults)[:200]}" for key in silent])
