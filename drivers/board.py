"""The board: which parts this terminal has, real or simulated. Nothing else chooses between the two."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from drivers.camera.frame import CameraSettings
from drivers.chrony import ChronySocket
from drivers.errors import DriverError
from drivers.panel import Bcm, GpioPanel, Panel, Pin
from drivers.sim.panel import SimulatedPanel
from drivers.wedge.settings import WedgeSettings

SIMULATED = "simulated"
PROFILE_FOLDERS = (Path(__file__).resolve().parents[1] / "hardware" / "boards", Path("/opt/roadproof/hardware/boards"))
SIMULATED_GNSS_BAUD = 9600  # a pseudo-terminal takes any

Baud = Literal[4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600]
Millimetres = Annotated[int, msgspec.Meta(ge=1)]
Pixels = Annotated[int, msgspec.Meta(ge=1)]


class BoardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a technician says about the box; everything else stands in its profile."""

    profile: Annotated[
        str, msgspec.Meta(description='which box this is: the name of a file in hardware/boards, or "simulated" for a virtual van')
    ] = "raspberry-pi-4"
    gnss_port: Annotated[
        str | None, msgspec.Meta(description="serial port of the GNSS receiver, where it is not the one in the profile")
    ] = None
    gnss_baud: Annotated[
        Annotated[int, msgspec.Meta(ge=4800, le=921600)] | None,
        msgspec.Meta(description="speed of that port in baud, where it is not the one in the profile"),
    ] = None
    chrony_socket: Annotated[
        str | None,
        msgspec.Meta(
            description="socket of chrony's SOCK reference clock, which then gets the satellites' time; absent: chrony is not fed"
        ),
    ] = None
    sim_socket: Annotated[
        str | None, msgspec.Meta(description="simulated board only: the socket through which the virtual van turns its key")
    ] = None
    camera: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(auto|picamera2|v4l2:/dev/[\w./-]+|simulated|none)$",
            description='"auto" (the one of the box), "picamera2", "v4l2:/dev/video0" (a USB camera), "simulated" or "none"',
        ),
    ] = "auto"
    scene_folder: Annotated[
        str | None, msgspec.Meta(description="simulated camera only: the folder with what it sees; without it there is no camera")
    ] = None
    scanner_serial: Annotated[
        tuple[str, ...],
        msgspec.Meta(max_length=4, description="serial ports of hand scanners; a name below /dev/serial/by-id survives replugging"),
    ] = ()
    scanner_usb: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(auto|none|/dev/input/[\w./:-]+)$",
            description='"auto" takes every USB hand scanner, serial or typing like a keyboard; "none", or the event device of one',
        ),
    ] = "auto"
    scanner_separator: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=8)] | None,
        msgspec.Meta(description="what the hand scanners send instead of the separator GS (29), which many cannot type"),
    ] = None
    profile_folder: Annotated[str | None, msgspec.Meta(description="folder with board profiles of your own, searched first")] = None


class Gnss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The receiver's serial line."""

    port: str
    baud: Baud
    bus_bcm: tuple[Bcm, ...] = ()
    pps_bcm: Bcm | None = None  # one pulse a second


class Pins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wired to the header, each part to a pin of its own."""

    ignition: Pin | None = None
    power_latch: Pin | None = None
    supply_good: Pin | None = None
    led: Pin | None = None
    buzzer: Pin | None = None
    button_ok: Pin | None = None
    button_back: Pin | None = None


class Camera(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The camera that fits the box."""

    model: str
    width_px: Pixels
    height_px: Pixels


class Screen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The touchscreen as its cable sees it; the millimetres are the picture's, so that a button can be as wide as a finger."""

    model: str
    width_px: Pixels
    height_px: Pixels
    width_mm: Millimetres
    height_mm: Millimetres


# What a browser on a desk shows: a 7-inch panel, the middle one of the three that the pages are drawn for.
WINDOW = Screen(model="a window", width_px=1_024, height_px=600, width_mm=154, height_mm=90)


class RealTimeClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What keeps the time while the box is without power."""

    model: str
    bus_bcm: tuple[Bcm, ...] = ()


class Boot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What /boot/firmware/config.txt must hold for all this to be there."""

    config: tuple[str, ...]


class BoardProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of hardware/boards."""

    name: str
    gnss: Gnss
    pins: Pins
    camera: Camera
    screen: Screen
    clock: RealTimeClock
    boot: Boot

    def wires(self) -> list[tuple[str, int]]:
        """Every part on the header with the BCM number of its pin; a bus has several."""
        parts = [(part, getattr(self.pins, part)) for part in self.pins.__struct_fields__]
        wires = [(part, pin.bcm) for part, pin in parts if pin is not None]
        wires += [("gnss", bcm) for bcm in self.gnss.bus_bcm] + [("clock", bcm) for bcm in self.clock.bus_bcm]
        return wires if self.gnss.pps_bcm is None else [*wires, ("pps", self.gnss.pps_bcm)]


class Board(msgspec.Struct, frozen=True):
    """The opened box. `faults` has one sentence for each part that does not work; such a part reads as not wired."""

    profile: str
    gnss_port: str
    gnss_baud: int
    panel: Panel
    faults: tuple[str, ...] = ()
    chrony: ChronySocket | None = None
    camera: CameraSettings = CameraSettings()
    screen: Screen = WINDOW
    wedges: WedgeSettings = WedgeSettings()


def open_board(settings: BoardSettings) -> Board:
    """Open what the settings name. Raises DriverError for settings that name nothing real; a part that is merely broken becomes a fault."""
    profile = profile_of(settings)
    if profile is None:
        return _simulated(settings)
    panel, faults = _panel(profile.pins)
    return Board(
        profile=settings.profile,
        gnss_port=settings.gnss_port or profile.gnss.port,
        gnss_baud=settings.gnss_baud or profile.gnss.baud,
        panel=panel,
        faults=faults,
        chrony=_chrony(settings),
        camera=_camera(settings, profile.camera),
        screen=profile.screen,
        wedges=WedgeSettings(serial=settings.scanner_serial, usb=settings.scanner_usb, separator=settings.scanner_separator),
    )


def camera_of(settings: BoardSettings) -> CameraSettings:
    """The camera alone, for who has no use for the rest of the box: nothing is opened. DriverError where the settings name no box."""
    profile = profile_of(settings)
    return _camera(settings, profile.camera) if profile else _simulated_camera(settings)


def screen_of(settings: BoardSettings) -> Screen:
    """The touchscreen alone, likewise."""
    profile = profile_of(settings)
    return profile.screen if profile else WINDOW


def profile_of(settings: BoardSettings) -> BoardProfile | None:
    """The profile that the settings name, None for the simulated board. DriverError where there is none of that name."""
    return None if settings.profile == SIMULATED else load_profile(settings.profile, settings.profile_folder)


def load_profile(name: str, folder: str | None = None) -> BoardProfile:
    """Read and check a board profile; `folder` is searched before the project's own. DriverError names what is wrong with it."""
    folders = (*((Path(folder),) if folder else ()), *PROFILE_FOLDERS)
    path = next((path for place in folders if (path := place / f"{name}.toml").is_file()), None)
    if path is None:
        known = sorted({found.stem for place in folders for found in place.glob("*.toml")} | {SIMULATED})
        raise DriverError(f'there is no board profile "{name}"{_did_you_mean(name, known)} (known: {", ".join(known)})')
    return read_profile(path)


def read_profile(path: Path) -> BoardProfile:
    """Check one profile file: its keys, their ranges, and that no pin is used twice."""
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=BoardProfile)
    except OSError as error:
        raise DriverError(f"cannot read the board profile {path}: {(error.strerror or str(error)).lower()}") from None
    except msgspec.DecodeError as error:
        raise DriverError(f"board profile {path}: {_in_words(str(error))}") from None
    parts: dict[int, str] = {}
    for part, bcm in profile.wires():
        if bcm in parts:
            raise DriverError(f"board profile {path}: GPIO {bcm} is both {parts[bcm]} and {part}; give each a pin of its own")
        parts[bcm] = part
    return profile


def _simulated(settings: BoardSettings) -> Board:
    if settings.gnss_port is None:
        raise DriverError("the simulated board needs board.gnss_port, the path of the virtual van's serial line")
    panel: Panel = SimulatedPanel(Path(settings.sim_socket)) if settings.sim_socket else GpioPanel()
    return Board(
        profile=SIMULATED,
        gnss_port=settings.gnss_port,
        gnss_baud=settings.gnss_baud or SIMULATED_GNSS_BAUD,
        panel=panel,
        chrony=_chrony(settings),
        camera=_simulated_camera(settings),
        wedges=WedgeSettings(
            serial=settings.scanner_serial,
            usb="none" if settings.scanner_usb == "auto" else settings.scanner_usb,
            separator=settings.scanner_separator,
        ),
    )


def _camera(settings: BoardSettings, fitted: Camera) -> CameraSettings:
    return CameraSettings(
        kind="picamera2" if settings.camera == "auto" else settings.camera,
        width_px=fitted.width_px,
        height_px=fitted.height_px,
        scene_folder=settings.scene_folder,
    )


def _simulated_camera(settings: BoardSettings) -> CameraSettings:
    kind = settings.camera
    if kind == "auto":
        kind = SIMULATED if settings.scene_folder else "none"
    return CameraSettings(kind=kind, scene_folder=settings.scene_folder)


def _chrony(settings: BoardSettings) -> ChronySocket | None:
    return ChronySocket(settings.chrony_socket) if settings.chrony_socket else None


def _panel(pins: Pins) -> tuple[Panel, tuple[str, ...]]:
    try:
        return GpioPanel(pins.ignition, pins.led, pins.supply_good, pins.buzzer), ()
    except DriverError as error:
        return GpioPanel(), (f"the panel does not work, the ignition counts as not wired: {error}",)


def _in_words(sentence: str) -> str:
    """A message of msgspec's; an unknown key is followed by the nearest known one."""
    unknown = re.search(r"unknown field `(.+?)`", sentence)
    return sentence if unknown is None else f"unknown key {unknown[1]}{_did_you_mean(unknown[1], _profile_keys())} ({sentence})"


def _profile_keys() -> list[str]:
    kinds = (BoardProfile, Gnss, Pins, Pin, Camera, Screen, RealTimeClock, Boot)
    return [key for kind in kinds for key in kind.__struct_fields__]


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean {near[0]}?" if near else ""
