"""The 40 pins of the header, as a technician counts them and as the chip does."""

from __future__ import annotations

# Chip's number (BCM) -> pin of the header; the same on every Raspberry Pi with 40 pins.
PINS = {
    2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33, 14: 8, 15: 10,
    16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13,
}  # fmt: skip


def pin(bcm: int) -> str:
    """Where a pin is on the header, and its number on the chip: `pin 10 (GPIO 15)`."""
    return f"pin {PINS[bcm]} (GPIO {bcm})" if bcm in PINS else f"GPIO {bcm}"
