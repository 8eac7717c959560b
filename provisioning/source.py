"""Where a card comes from when nobody types it: a USB stick, or any text that a camera read. All of it is untrusted.

A stick is a mounted FAT below the usual places with a file `enrol.txt`: the card's line, and perhaps the line of a Wi-Fi QR.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from provisioning.card import Card, CardError, Wifi, is_card, is_wifi, read_card, read_wifi

FILE = "enrol.txt"
MOUNTS = Path("/proc/mounts")
PLACES = (Path("/media"), Path("/run/media"), Path("/mnt"))
FAT = {"vfat", "exfat", "msdos", "fuseblk"}
LARGEST_BYTES = 4_096
JOIN_S = 60  # a network asks for an address; nmcli's own patience is 90


class SourceError(RuntimeError):
    """What was held out is no card, or the network cannot be joined; the sentence says what to do."""


class Sheet(msgspec.Struct, frozen=True):
    """What one QR or one stick says."""

    card: Card | None = None
    wifi: Wifi | None = None


def read_text(text: str) -> Sheet | None:
    """What a code in sight says; None for one that is none of ours, a parcel's for instance. SourceError for a misread one of ours."""
    try:
        if is_card(text):
            return Sheet(card=read_card(text))
        return Sheet(wifi=read_wifi(text)) if is_wifi(text) else None
    except CardError as error:
        raise SourceError(str(error)) from None


def sticks(mounts: Path = MOUNTS, places: Sequence[Path] = PLACES) -> Iterator[Path]:
    """The enrol.txt of every stick that is plugged in and mounted."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, place, kind, *_ = [re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), part) for part in f"{line}   ".split(" ")]
        folder = Path(place)
        if kind in FAT and any(folder.is_relative_to(above) for above in places) and os.path.lexists(folder / FILE):
            yield folder / FILE


def read_stick(path: Path) -> Sheet:
    """The card on a stick, named by its folder or file; SourceError says what is wrong with it."""
    file = path / FILE if path.is_dir() else path
    sheets = [_line(file, line) for line in _lines(file) if line.strip() and not line.lstrip().startswith("#")]
    card = next((sheet.card for sheet in sheets if sheet.card), None)
    if card is None:
        raise SourceError(
            f"{file} holds no enrolment code: write the text of `roadproof fleet enrol` into it, one line that begins with RP1:"
        )
    return Sheet(card=card, wifi=next((sheet.wifi for sheet in sheets if sheet.wifi), None))


def _line(file: Path, line: str) -> Sheet:
    try:
        return read_text(line) or Sheet()
    except SourceError as error:
        raise SourceError(f"{file}: {error}") from None


def _lines(file: Path) -> list[str]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceError(f"{file} is no file: make a text file of that name with the enrolment code in it")
            content = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}; use another stick, formatted as FAT") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if len(content) > LARGEST_BYTES or "\0" in text:
        raise SourceError(f"{file} is no text file with an enrolment code: write the text of `roadproof fleet enrol` into it, nothing else")
    return text.splitlines()


def join(wifi: Wifi) -> None:
    """Join a network through NetworkManager; SourceError says why not."""
    words = ["nmcli", "--wait", str(JOIN_S), "device", "wifi", "connect", wifi.ssid]
    words += ["password", wifi.password] if wifi.password else []
    words += ["hidden", "yes"] if wifi.hidden else []
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=JOIN_S + 10, check=False)
    except FileNotFoundError:
        raise SourceError(f"{wifi.ssid} cannot be joined: this system has no NetworkManager (nmcli); set the network up by hand") from None
    except (OSError, subprocess.TimeoutExpired):
        raise SourceError(f"{wifi.ssid} cannot be joined: nmcli does not answer; restart the box and try again") from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it does not say why"])[-1].removeprefix("Error: ").rstrip(".")
        if wifi.password:
            told = told.replace(wifi.password, "...")
        raise SourceError(f"{wifi.ssid} cannot be joined: {told}; check the password in the Wi-Fi code, and that the network is in reach")
