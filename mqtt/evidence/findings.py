"""What a check found: one sentence each."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["good", "note", "bad"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`bad` refutes the evidence, `note` says what it does not show, `good` what it does."""

    level: Level
    about: str  # root, record, receipt, time, attachments, chain, bundle
    text: str
