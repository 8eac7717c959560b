"""Which texts there must be: the keys that the page and the day use, with their English.

`python -m firmware.kiosk.wording` brings the .po files up to date after a key has come or gone; what is left to translate it says.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import polib

from firmware.day import words as day_words
from firmware.kiosk import texts

PAGE_WORDS = Path(__file__).parent / "static" / "words.json"
SHOWN = 20
PLACEHOLDER = re.compile(r"\{[a-z_]*\}")

UNIT_WORDS = {  # what the shell round the day and this server say
    "diag.nothing_found": "Run all first: the report tells what was found.",
    "diag.stand_still": "Stop the vehicle first.",
    "diag.still_running": "A test is running. Wait for its end.",
    "diag.unsigned": "The report cannot be signed: {sentence}",
    "disk.full": "The storage is full: this is not saved. Go on without a photo, or call dispatch.",
    "photo.no_room": "There is no room for a photo. Go on without one.",
    "photo.unreadable": "This picture cannot be read. Take another one.",
    "picture.not_now": "No picture is asked for on this screen.",
    "picture.not_one": "This file is not a picture.",
    "picture.too_large": "This picture is too large. Take a smaller one.",
    "sign.ill_formed": "The signature did not arrive whole. Sign again.",
    "sign.no_room": "There is no room for a signature. Choose No signature.",
}

English = str | tuple[str, str]  # a text, or one and many


def used() -> dict[str, English]:
    """Every key and its English; ValueError when two disagree about one."""
    page = msgspec.json.decode(PAGE_WORDS.read_bytes(), type=dict[str, English])
    unit: dict[str, English] = {**day_words.WORDS, **UNIT_WORDS}
    torn = sorted(key for key in page.keys() & unit.keys() if page[key] != unit[key])
    if torn:
        raise ValueError(f"the page and the unit give different English for {', '.join(torn)}")
    return dict(sorted((page | unit).items()))


def placeholders(text: str) -> set[str]:
    """What is filled in."""
    return set(PLACEHOLDER.findall(text))


def renew(path: Path, words: dict[str, English], *, english: bool) -> list[str]:
    """Give one .po file exactly these keys; the keys without a text."""
    file = polib.pofile(str(path), encoding="utf-8", wrapwidth=140)
    held = {entry.msgid: entry for entry in file if not entry.obsolete}
    forms = len(set(texts.plural_table(file.metadata["Plural-Forms"])))
    file.clear()
    file.extend(_renewed(held.get(key), key, text, forms=forms, english=english) for key, text in words.items())
    file.save()
    return [entry.msgid for entry in file if not entry.translated()]


def _renewed(entry: polib.POEntry | None, key: str, text: English, *, forms: int, english: bool) -> polib.POEntry:
    if entry is None or bool(entry.msgid_plural) != isinstance(text, tuple):
        entry = polib.POEntry(msgid=key)
    entry.comment = text if isinstance(text, str) else " | ".join(text)
    if isinstance(text, str):
        entry.msgstr = text if english else entry.msgstr
    else:
        entry.msgid_plural = key
        entry.msgstr_plural = dict(enumerate(text)) if english else {n: entry.msgstr_plural.get(n, "") for n in range(forms)}
    return entry


def main() -> None:
    """Renew all of them."""
    words = used()
    for lang in texts.LANGUAGES:
        untranslated = renew(texts.FOLDER / f"{lang}.po", words, english=lang == "en")
        print(f"{lang}: {len(words)} texts, {len(untranslated)} to translate", *untranslated[:SHOWN])


if __name__ == "__main__":
    main()
