"""Camera and hand scanners: what reads labels and takes photos."""

from __future__ import annotations

import time

from drivers.errors import CameraError
from firmware.selftest.finding import Fact, Result, bad, ok, skipped, warn
from firmware.selftest.place import Place

NOT_USED = "The driver's page is off (terminal.enabled), so no camera and no scanner is used."


def camera(place: Place) -> Result:
    """Take a photo and look how good it is."""
    if place.camera is None:
        return skipped(NOT_USED)
    if place.camera.state == "none":
        return skipped("The settings say that there is no camera (board.camera).")
    begun_s = time.monotonic()
    try:
        photo = place.camera.still()
    except CameraError as error:
        return bad(str(error), fault=error.state)
    facts: dict[str, Fact] = {
        "width_px": photo.width,
        "height_px": photo.height,
        "bytes": len(photo.jpeg),
        "sharpness": round(photo.sharpness),
        "brightness": round(photo.brightness),
        "photo_ms": round((time.monotonic() - begun_s) * 1000),
    }
    if photo.warning == "dark":
        return warn("The camera works, but sees nothing but dark: take the lens cap or the film off, and test with light.", **facts)
    if photo.warning == "blurred":
        return warn("The camera works, but its picture is blurred: clean the lens, hold a label 20 cm before it and test again.", **facts)
    return ok(f"The camera took a photo of {photo.width} x {photo.height}.", **facts)


def scanner(place: Place) -> Result:
    """Whether every hand scanner that is there or named can be used."""
    known = place.scanners
    if known is None:
        return skipped(NOT_USED)
    facts: dict[str, Fact] = {"working": known.count}
    if known.faults:
        return bad(" ".join(known.faults), **facts)
    if known.count:
        works = "A hand scanner works" if known.count == 1 else f"{known.count} hand scanners work"
        return ok(f"{works}; scan a code of provisioning/hand-scanner.html to try what it sends.", **facts)
    if not known.wanted:
        return skipped("The settings say that there is no hand scanner (board.scanner_usb).", **facts)
    return skipped("No hand scanner is plugged in; the camera reads the codes.", **facts)
