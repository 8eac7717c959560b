from __future__ import annotations

import gettext
from pathlib import Path

import polib
import pytest

from firmware.kiosk import texts, wording
from firmware.kiosk.wording import English

RULES = {lang: polib.pofile(str(texts.FOLDER / f"{lang}.po")).metadata["Plural-Forms"] for lang in texts.LANGUAGES}


def forms(text: English | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_key_is_said_in_every_language(lang: str) -> None:
    said = texts.load(lang).texts
    assert sorted(key for key in wording.used() if key not in said or not all(forms(said[key]))) == []


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_no_text_is_kept_that_nobody_uses(lang: str) -> None:
    assert sorted(texts.load(lang).texts.keys() - wording.used().keys()) == []


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_translation_fills_in_the_same_values(lang: str) -> None:
    said = texts.load(lang).texts
    torn = {}
    for key, english in wording.used().items():
        wanted = set().union(*(wording.placeholders(text) for text in forms(english)))
        for text in forms(said[key]):
            found = wording.placeholders(text)
            if found - wanted or wanted - found - ({"{n}"} if len(forms(said[key])) > 1 else set()):  # "one parcel" needs no number
                torn[key] = text
    assert torn == {}


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_a_plural_has_as_many_forms_as_its_language(lang: str) -> None:
    catalogue = texts.load(lang)
    wrong = {key for key, text in catalogue.texts.items() if isinstance(text, tuple) and len(text) != max(catalogue.plural) + 1}
    assert wrong == set()


def test_the_english_file_says_what_the_code_says() -> None:
    assert texts.load("en").texts == wording.used()


@pytest.mark.parametrize(
    ("lang", "n", "form"),
    [("en", 0, 1), ("en", 1, 0), ("de", 2, 1), ("pl", 1, 0), ("pl", 3, 1), ("pl", 5, 2), ("pl", 12, 2), ("pl", 22, 1), ("pl", 112, 2),
     ("ar", 0, 0), ("ar", 1, 1), ("ar", 2, 2), ("ar", 7, 3), ("ar", 11, 4), ("ar", 100, 5), ("ar", 103, 3)],
)  # fmt: skip
def test_the_form_of_a_number(lang: str, n: int, form: int) -> None:
    assert texts.load(lang).plural[n] == form


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_the_table_serves_every_number(lang: str) -> None:
    rule = gettext.c2py(RULES[lang].split("plural=")[1].rstrip(";"))
    table = texts.load(lang).plural
    assert [n for n in range(2_000) if rule(n) != table[n if n < 200 else 100 + n % 100]] == []


def test_a_new_key_is_added_and_an_old_one_goes_while_translations_stay(tmp_path: Path) -> None:
    path = tmp_path / "pl.po"
    file = polib.POFile()
    file.metadata = {"Plural-Forms": RULES["pl"], "Content-Type": "text/plain; charset=UTF-8"}
    file.append(polib.POEntry(msgid="button.back", msgstr="Wróć"))
    file.append(polib.POEntry(msgid="button.gone", msgstr="Nie ma"))
    file.save(str(path))
    words: dict[str, English] = {"button.back": "Back", "stop.parcels": ("{n} parcel", "{n} parcels")}
    assert wording.renew(path, words, english=False) == ["stop.parcels"]
    renewed = polib.pofile(str(path))
    assert [(entry.msgid, entry.msgstr, len(entry.msgstr_plural)) for entry in renewed] == [
        ("button.back", "Wróć", 0),
        ("stop.parcels", "", 3),
    ]
