"""Runs inside the tree with the real picamera2: every check of tests/picamera2_body.py on libcamera's virtual pipeline."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import Any

from tests import picamera2_body

libcamera = importlib.import_module("libcamera")
picamera2 = importlib.import_module("picamera2")
allocators = importlib.import_module("picamera2.allocators")


class VirtualPicamera2(picamera2.Picamera2):  # type: ignore[misc, name-defined]  # imported by name: it is not installed where types are checked
    """The real one; the virtual pipeline refuses the raw role alone."""

    def __init__(self) -> None:
        super().__init__()
        self.allocator = allocators.LibcameraAllocator(self.camera)

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        formats = self.camera.generate_configuration([libcamera.StreamRole.VideoRecording]).at(0).formats
        return [
            {"format": str(pixel), "size": (size.width, size.height)} for pixel in formats.pixel_formats for size in formats.sizes(pixel)
        ]


def main() -> int:
    failed = 0
    for check in picamera2_body.CHECKS:
        try:
            check(VirtualPicamera2)
        except Exception:  # noqa: BLE001  the report is the point
            failed += 1
            print(f"FAILED {check.__name__}\n{traceback.format_exc()}", flush=True)
        else:
            print(f"passed {check.__name__}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
