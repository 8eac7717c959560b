"""Text of strangers as it may stand beside our own: in any script, and unable to reorder, cover or erase what is around it. Pure."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # Persian, the scripts of India and emoji need them
MARKS_LIMIT = 4  # above or below one letter: Hebrew and Arabic need three; a hundred would be drawn over the lines around
SEPARATORS = {"Zl", "Zp"}
RIGHT_TO_LEFT = {"R", "AL"}
Mark = "Mn", "Me"


def plain(text: str) -> str:
    """The text with `?` for what steers a terminal or turns the order of letters, and a blank for line ends."""
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in Mark else 0
        if marks <= MARKS_LIMIT:
            shown.append(_safe(character, category))
    return "".join(shown)


def _safe(character: str, category: str) -> str:
    if character in "\n\t" or category in SEPARATORS:
        return " "
    return "?" if category.startswith("C") and character not in JOINERS else character


def direction(text: str) -> str:
    """Of the first letter that has one, as Unicode's bidirectional algorithm takes it for a paragraph (UAX 9, P2): rtl or ltr."""
    strong = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((kind for kind in strong if kind in {"L", *RIGHT_TO_LEFT}), "L") in RIGHT_TO_LEFT else "ltr"
