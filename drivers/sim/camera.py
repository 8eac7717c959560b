"""The simulated camera: it sees what lies in a folder, and another process has its hands there."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from PIL import Image, ImageEnhance, ImageFilter

from drivers.camera.frame import Frame
from drivers.camera.photo import read_picture
from drivers.errors import CameraError, PictureError
from drivers.sim import scenes

SCENE = "scene.png"
LIGHT = "light.json"
FRAME_S = 0.1  # ten pictures a second are a slow camera's, and spare the laptop
EACH_S = 3.0  # how long each picture of a folder without a scene is shown
WIDTH_PX = 1_280


class Light(msgspec.Struct, frozen=True):
    """How the scene is seen."""

    plugged: bool = True
    gain: float = 1.0  # 1: daylight
    blur_px: float = 0.0


class SimulatedCamera:
    """Obeys the rules of the real ones. Sees `scene.png` of its folder; without one the folder's pictures in turn; else a doorstep."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._n = 0
        self._shown: tuple[Path | None, int] = (None, -1)
        self._light = Light()
        self._seen = Image.new("RGB", scenes.SIZE)
        self._luma = b""
        self._next_s = time.monotonic()
        if not folder.is_dir():
            raise CameraError("missing", f"The simulated camera's folder {folder} is not there; make it, or correct board.scene_folder.")
        self._look(without="missing")

    def frame(self, timeout_s: float) -> Frame | None:
        """What is seen now, at most every FRAME_S."""
        wait_s = self._next_s - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, timeout_s))
        if time.monotonic() < self._next_s:
            return None
        self._next_s = time.monotonic() + FRAME_S
        self._look()
        self._n += 1
        return Frame(luma=self._luma, width=self._seen.width, height=self._seen.height, stride=self._seen.width, n=self._n)

    def view(self) -> Image.Image:
        """What was seen last."""
        return self._seen

    def still(self) -> Image.Image:
        """What is seen now."""
        self._look()
        return self._seen

    def refocus(self) -> None:
        """Nothing: a picture is as sharp as it is."""

    def close(self) -> None:
        """Nothing is held."""

    def _look(self, without: Literal["missing", "unplugged"] = "unplugged") -> None:
        light = _read_light(self._folder)
        if not light.plugged:
            raise CameraError(without, "The camera was unplugged; plug it in again, it is taken up by itself.")
        path = self._current()
        shown = (path, path.stat().st_mtime_ns if path else 0)
        if shown == self._shown and light == self._light and self._luma:
            return
        self._seen = _lit(_opened(path) if path else scenes.doorstep(), light)
        self._luma = self._seen.convert("L").tobytes()
        self._shown, self._light = shown, light

    def _current(self) -> Path | None:
        scene = self._folder / SCENE
        if scene.is_file():
            return scene
        pictures = sorted(path for path in self._folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
        return pictures[int(time.monotonic() / EACH_S) % len(pictures)] if pictures else None


class CameraHands:
    """The other end: changes what a simulated camera on the same folder sees, from any process, before or after it was opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def show(self, scene: Image.Image) -> None:
        """Put this before the camera."""
        buffer = io.BytesIO()
        scene.save(buffer, "PNG", compress_level=1)
        _replace(self._folder / SCENE, buffer.getvalue())

    def show_parcel(self, codes: Sequence[str], lines: Sequence[str] = ()) -> None:
        """Hold a parcel with these codes before it."""
        self.show(scenes.parcel(codes, lines=lines))

    def show_doorstep(self, number: str = "12") -> None:
        """Leave a parcel at the door."""
        self.show(scenes.doorstep(number))

    def clear(self) -> None:
        """Take the scene away."""
        (self._folder / SCENE).unlink(missing_ok=True)

    def unplug(self) -> None:
        """Pull the camera's cable."""
        self._change(plugged=False)

    def plug(self) -> None:
        """Put the cable back."""
        self._change(plugged=True)

    def darken(self, gain: float = 0.1) -> None:
        """Dim the light to this part; 1 is daylight."""
        self._change(gain=gain)

    def blur(self, blur_px: float = 8.0) -> None:
        """Put the scene out of focus; 0 is sharp."""
        self._change(blur_px=blur_px)

    def _change(self, **changes: float) -> None:
        _replace(self._folder / LIGHT, msgspec.json.encode(msgspec.structs.replace(_read_light(self._folder), **changes)))


def _read_light(folder: Path) -> Light:
    try:
        return msgspec.json.decode((folder / LIGHT).read_bytes(), type=Light)
    except FileNotFoundError:
        return Light()


def _replace(path: Path, data: bytes) -> None:
    """At once, so that the camera never sees half a picture."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(path)


def _opened(path: Path) -> Image.Image:
    try:
        picture = read_picture(path.read_bytes()).convert("RGB")
    except (PictureError, OSError) as error:
        raise CameraError("broken", f"The simulated camera cannot see {path.name}: {error}.") from error
    picture.thumbnail((WIDTH_PX, WIDTH_PX))
    return picture


def _lit(picture: Image.Image, light: Light) -> Image.Image:
    if light.blur_px:
        picture = picture.filter(ImageFilter.GaussianBlur(light.blur_px))
    return ImageEnhance.Brightness(picture).enhance(light.gain) if light.gain != 1 else picture
