"""The page's texts in its languages, from .po files: KEY -> text, or the forms of a plural."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import msgspec
import polib

LANGUAGES = ("en", "de", "es", "pl", "ar")
RIGHT_TO_LEFT = {"ar"}
FOLDER = Path(__file__).parent / "locale"
TABLE = 200  # no rule of ours looks at more than the last two digits: 100 to 199 stand for all that follow


class Catalogue(msgspec.Struct, frozen=True):
    """Everything the page needs to speak one language; `plural` is the form's index for 0 to 199."""

    lang: str
    dir: str
    plural: tuple[int, ...]
    texts: dict[str, str | tuple[str, ...]]


def load(lang: str, folder: Path = FOLDER) -> Catalogue:
    """The catalogue of one of LANGUAGES; OSError or ValueError when its file is damaged."""
    file = polib.pofile(str(folder / f"{lang}.po"), encoding="utf-8")
    return Catalogue(
        lang=lang,
        dir="rtl" if lang in RIGHT_TO_LEFT else "ltr",
        plural=plural_table(file.metadata["Plural-Forms"]),
        texts={entry.msgid: _text(entry) for entry in file if not entry.obsolete},
    )


def _text(entry: polib.POEntry) -> str | tuple[str, ...]:
    forms: dict[int, str] = entry.msgstr_plural
    return tuple(forms[n] for n in sorted(forms)) if forms else str(entry.msgstr)


def plural_table(rule: str) -> tuple[int, ...]:
    """The form for 0 to 199 by a Plural-Forms rule: the page needs no evaluator, which its own policy would forbid."""
    found = re.search(r"plural=([^;]+);?", rule)
    if found is None:
        raise ValueError(f"Plural-Forms says no rule: {rule!r}")
    form = gettext.c2py(found[1])
    return tuple(form(n) for n in range(TABLE))
