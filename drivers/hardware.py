"""What this machine is made of, as the kernel tells it: nothing is opened, nothing is switched on.

Read from /proc, /sys, /dev and the device tree only (Documentation/ABI of the kernel), so that it may run beside the daemon.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from drivers.wedge.wedges import SCANNER_WORDS

DIRECT = 1 << 1  # INPUT_PROP_DIRECT of linux/input-event-codes.h: a touchscreen, not a touchpad
SENSOR = re.compile(r"(imx|ov)\d")  # how the camera modules' sensors are named
NO_UART = "0"  # /sys/class/tty/*/type of a port that the kernel keeps a name for, and nothing else
SECTOR_BYTES = 512
# The maker's number in a card's CID, as far as cards on sale have made it known: the SD Association keeps the list to itself.
MAKERS = {
    "0x000002": "Toshiba", "0x000003": "SanDisk", "0x00001b": "Samsung", "0x00001d": "ADATA", "0x000027": "Phison", "0x000028": "Lexar",
    "0x000031": "Silicon Power", "0x000041": "Kingston", "0x000074": "Transcend", "0x000082": "Sony",
}  # fmt: skip


class SerialPort(msgspec.Struct, frozen=True, kw_only=True):
    """One serial port; `usb` is vendor:product of the device that it belongs to, None for a port of the board."""

    path: str
    driver: str
    usb: str | None = None
    name: str = ""  # what the USB device calls itself


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What the system is stored on. A memory card's maker, date and serial number are in its CID register."""

    device: str
    name: str
    maker: str = ""
    made: str = ""  # month/year
    serial: str = ""
    size_bytes: int = 0
    life: str = ""  # of an eMMC, two figures of its JEDEC life time estimate; cards do not tell


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The machine; empty where the kernel says nothing."""

    model: str
    serial: str
    revision: str
    memory_mb: int
    system: str
    kernel: str
    ports: tuple[SerialPort, ...] = ()
    cameras: tuple[str, ...] = ()
    touch: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()
    displays: tuple[str, ...] = ()
    clock: str = ""  # chip that keeps the time without power
    pps: bool = False
    gpio: tuple[str, ...] = ()
    modems: tuple[str, ...] = ()
    cards: tuple[Card, ...] = ()
    watchdog: str = ""
    otp_service: bool = False  # the firmware's signing service with a key in one-time-programmable memory


def seen(root: Path = Path("/")) -> Hardware:
    """What is there; `root` is another one in tests. Never raises: what cannot be read is not there."""
    tree, inputs = root / "proc/device-tree", list(_inputs(root))
    return Hardware(
        model=_text(tree / "model") or _text(root / "sys/class/dmi/id/product_name"),
        serial=serial(root),
        revision=_bytes(tree / "system/linux,revision").hex(),
        memory_mb=_memory_mb(root),
        system=_system(root),
        kernel=f"{_text(root / 'proc/sys/kernel/osrelease')} {platform.machine()}",
        ports=tuple(_ports(root)),
        cameras=tuple(dict.fromkeys(_cameras(root))),
        touch=tuple(name for name, direct, _ in inputs if direct),
        scanners=tuple(dict.fromkeys(name for name, _, scanner in inputs if scanner)),
        displays=tuple(displays(root)),
        clock=_first_text(root, "sys/class/rtc/rtc*/name"),
        pps=any((root / "sys/class/pps").glob("pps*")),
        gpio=tuple(_chips(root)),
        modems=tuple(_modems(root)),
        cards=tuple(_cards(root)),
        watchdog=_first_text(root, "sys/class/watchdog/watchdog*/identity"),
        otp_service=(root / "dev/vcio").exists() and (root / "usr/bin/rpi-fw-crypto").exists(),
    )


def serial(root: Path = Path("/")) -> str:
    """The board's serial number; empty where the kernel knows none."""
    return _text(root / "proc/device-tree/serial-number")


def summary(found: Hardware) -> dict[str, str]:
    """A text for each kind of part that is there, for a report."""
    told = {
        "board": found.model,
        "serial": found.serial,
        "revision": found.revision,
        "memory": f"{found.memory_mb} MB",
        "system": found.system,
        "kernel": found.kernel,
        "ports": ", ".join(f"{port.path} ({port.name or port.usb or port.driver})" for port in found.ports),
        "cameras": ", ".join(found.cameras),
        "touch": ", ".join(found.touch),
        "scanners": ", ".join(found.scanners),
        "display": ", ".join(found.displays),
        "clock": found.clock,
        "pps": "pulse of the receiver" if found.pps else "",
        "gpio": ", ".join(found.gpio),
        "modem": ", ".join(found.modems),
        "storage": ", ".join(card_text(card) for card in found.cards),
        "watchdog": found.watchdog,
        "otp": "signing service of the firmware" if found.otp_service else "",
    }
    return {part: text[:1_000] for part, text in told.items() if text}


def card_text(card: Card) -> str:
    """A card for people."""
    facts = (f"{card.size_bytes / 1e9:.1f} GB", card.maker, card.made, f"life {card.life}" if card.life else "")
    return f"{card.name or card.device} ({', '.join(fact for fact in facts if fact)})"


def _text(path: Path) -> str:
    return _bytes(path).decode(errors="replace").strip("\0 \n")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(65_536)
    except OSError:
        return b""


def _first_text(root: Path, pattern: str) -> str:
    return next((text for path in sorted(root.glob(pattern)) if (text := _text(path))), "")


def _memory_mb(root: Path) -> int:
    found = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo"))
    return int(found[1]) // 1024 if found else 0


def _system(root: Path) -> str:
    found = re.search(r'^PRETTY_NAME="?([^"\n]*)', _text(root / "etc/os-release"), re.MULTILINE)
    return found[1] if found else ""


def _ports(root: Path) -> Iterator[SerialPort]:
    """The ports that lead somewhere: the kernel also names dozens that have no hardware behind them."""
    for port in _folders(root / "sys/class/tty"):
        device = port / "device"
        if not device.exists() or _text(port / "type") == NO_UART:
            continue
        usb = _usb(device)
        yield SerialPort(
            path=f"/dev/{port.name}",
            driver=_linked(device / "driver"),
            usb=f"{_text(usb / 'idVendor')}:{_text(usb / 'idProduct')}" if usb else None,
            name=_usb_name(usb) if usb else "",
        )


def _cameras(root: Path) -> Iterator[str]:
    """Sensors on the camera connector, and USB cameras; decoders and scalers, which are video devices too, are neither."""
    for video in _folders(root / "sys/class/video4linux"):
        name = _text(video / "name")
        if SENSOR.match(name) or _usb(video / "device"):
            yield name


def _inputs(root: Path) -> Iterator[tuple[str, bool, bool]]:
    """Each input device: its name, whether it is a touchscreen, whether it is a hand scanner."""
    for block in _text(root / "proc/bus/input/devices").split("\n\n"):
        name, prop = re.search(r'Name="(.*)"', block), re.search(r"PROP=([0-9a-f]+)", block)
        if name:
            direct = prop is not None and bool(int(prop[1], 16) & DIRECT)
            written = name[1].lower().replace(" ", "_")  # as below /dev/input/by-id, where drivers/wedge finds them
            yield name[1], direct, any(word in written for word in SCANNER_WORDS)


def displays(root: Path = Path("/")) -> Iterator[str]:
    """The screens that are connected, each by its connector and its size."""
    for connector in _folders(root / "sys/class/drm"):
        if _text(connector / "status") == "connected":
            mode = _text(connector / "modes").partition("\n")[0]
            yield " ".join(filter(None, (connector.name.partition("-")[2], mode)))


def _chips(root: Path) -> Iterator[str]:
    """Blocks of pins: by their label where the kernel has one, else by their number."""
    labels = [_text(chip / "label") for chip in _folders(root / "sys/class/gpio") if chip.name.startswith("gpiochip")]
    yield from filter(None, labels) if any(labels) else (chip.name for chip in _folders(root / "sys/bus/gpio/devices"))


def _modems(root: Path) -> Iterator[str]:
    for port in _folders(root / "sys/class/usbmisc"):
        usb = _usb(port / "device") if port.name.startswith("cdc-wdm") else None
        if usb:
            yield _usb_name(usb)
    yield from (port.name for port in _folders(root / "sys/class/wwan"))


def _cards(root: Path) -> Iterator[Card]:
    for block in _folders(root / "sys/block"):
        device = block / "device"
        if not re.fullmatch(r"mmcblk\d+|nvme\d+n\d+|sd[a-z]+", block.name):
            continue
        sectors = _text(block / "size")
        yield Card(
            device=block.name,
            name=_text(device / "name") or _text(device / "model"),
            maker=MAKERS.get(manfid := _text(device / "manfid"), manfid),
            made=_text(device / "date"),
            serial=_text(device / "serial"),
            size_bytes=int(sectors) * SECTOR_BYTES if sectors.isdecimal() else 0,
            life=_text(device / "life_time"),
        )


def _usb(device: Path) -> Path | None:
    """The USB device that something is a part of; None when it is none of its."""
    try:
        here = device.resolve(strict=True)
    except OSError:
        return None
    return next((place for place in (here, *here.parents) if (place / "idVendor").exists()), None)


def _usb_name(usb: Path) -> str:
    return " ".join(filter(None, (_text(usb / "manufacturer"), _text(usb / "product"))))


def _linked(link: Path) -> str:
    """The name of what a link of sysfs leads to."""
    return link.resolve().name if link.exists() else ""


def _folders(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else []
