"""`roadproof scan`: what is on these pictures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cli.words import Commands, add
from drivers.barcode import Barcode, Decoder
from drivers.errors import DriverError, PictureError
from drivers.gs1 import Gs1, parse

LIMIT_BYTES = 64_000_000  # a PNG of 25 megapixels has up to 75 MB; a photo never comes near
LONGEST_MS = 10_000
STANDARD_INPUT = "-"


def add_commands(commands: Commands) -> None:
    """Add `scan`."""
    command = add(commands, "scan", scan, "read the barcodes of pictures: one JSON object a code", "roadproof scan label.jpg")
    command.add_argument(
        "pictures", nargs="+", metavar="PICTURE", help="a JPEG, PNG, WebP or PPM of up to 25 megapixels; - reads one from standard input"
    )
    command.add_argument(
        "--budget-ms",
        type=_budget,
        metavar="N",
        help="processor time for each picture (default: whatever can be tried; the camera's frames get 200)",
    )
    command.add_argument("--decoder", choices=("pyzbar", "zxing", "both"), default="both", help="which engine reads (default %(default)s)")


def _budget(text: str) -> float:
    budget_ms = float(text)
    if not 1 <= budget_ms <= LONGEST_MS:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {LONGEST_MS}")
    return budget_ms


def scan(arguments: argparse.Namespace) -> int:
    """Print what each picture says; exit code 1 when one of them cannot be used."""
    code = 0
    decoder = Decoder()
    try:
        for name in arguments.pictures:
            try:
                for barcode in decoder.read_picture(_read(name), budget_ms=arguments.budget_ms, engines=arguments.decoder):
                    print(json.dumps(_told(name, barcode), ensure_ascii=False), flush=True)
            except PictureError as error:
                print(f"roadproof scan: {name}: {error}", file=sys.stderr)
                code = 1
    except DriverError as error:
        print(f"roadproof scan: {error}", file=sys.stderr)
        return 1
    finally:
        decoder.close()
    return code


def _read(name: str) -> bytes:
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(LIMIT_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise PictureError(f"it cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > LIMIT_BYTES:
        raise PictureError(f"the file has over {LIMIT_BYTES // 1_000_000} MB; take a JPEG, or a lower resolution")
    return data


def _told(name: str, barcode: Barcode) -> dict[str, Any]:
    return {
        "picture": name,
        "text": barcode.text,
        "symbology": barcode.symbology,
        "aim_id": barcode.aim,
        "gs1": _gs1(barcode),
        "corners": barcode.corners,
        "engine": barcode.engine,
        "stage": barcode.stage,
        "ms": barcode.ms,
    }


def _gs1(barcode: Barcode) -> dict[str, Any] | None:
    """The fields that are there; null where it is not GS1."""
    try:
        found = parse(barcode.text, barcode.aim)
    except DriverError:
        return None
    fields = {field: getattr(found, field) for field in Gs1.__struct_fields__}
    return {field: value for field, value in fields.items() if value} or None
