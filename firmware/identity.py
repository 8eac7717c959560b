"""What the enrolment settled, under the settings file: a technician's word stands above it, and what is in neither is a sentence.

`roadproof enrol` makes the folder (provisioning/identity.py); this end reads one file of it, `settings.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from mqtt import settings
from mqtt.settings import SettingsError

SETTINGS = "settings.toml"
SECTIONS = ("broker", "evidence")


def under(path: Path, table: Mapping[str, Any], identity: Path) -> dict[str, Any]:
    """The table of a settings file with the identity's beneath it, setting by setting; SettingsError when the two cannot go together."""
    told = _read(identity / SETTINGS)
    if told is None:
        return dict(table)
    merged = {**told, **table}
    for section in SECTIONS:
        if isinstance(table.get(section, {}), dict):  # what is no section at all is told as such later
            merged[section] = {**told[section], **table.get(section, {})}
    if merged["unit"] != told["unit"] and _is_of(identity, merged["broker"]):
        named = f"unit = {merged['unit']!r}, but this unit was enrolled as {told['unit']!r}"
        raise SettingsError([f"{path}: {named}: leave the line `unit` out, or wipe the unit and enrol it anew"])
    return merged


def is_there(identity: Path) -> bool:
    """Whether the unit was enrolled, as far as this user can see."""
    try:
        return (identity / SETTINGS).exists()
    except PermissionError:  # the folder above is the daemon's alone
        return False


def _is_of(identity: Path, broker: Any) -> bool:
    certificate = broker.get("tls_cert") if isinstance(broker, dict) else None
    return isinstance(certificate, str) and Path(certificate).parent == identity


class _Told(msgspec.Struct, frozen=True):
    unit: str
    broker: dict[str, Any]
    evidence: dict[str, Any]


def _read(path: Path) -> dict[str, Any] | None:
    """The identity's settings, None where there is no identity; their values are checked with the rest."""
    if not is_there(path.parent):
        return None
    try:
        return msgspec.to_builtins(msgspec.convert(settings.table(path), _Told))  # type: ignore[no-any-return]  # a struct becomes a dict
    except (SettingsError, msgspec.ValidationError):
        raise SettingsError([f"{path} is damaged: put its folder aside and enrol the unit anew with: roadproof enrol"]) from None
