"""Which kind of camera the settings mean."""

from __future__ import annotations

from pathlib import Path

from drivers.camera.camera import Camera
from drivers.camera.frame import CameraSettings, Source
from drivers.errors import DriverError

V4L2 = "v4l2:"


def open_camera(settings: CameraSettings) -> Camera:
    """The camera that the settings name, opened when the first picture is asked for. DriverError where they name nothing."""
    kind = settings.kind
    if kind == "none":
        return Camera(None)
    if kind == "picamera2":
        return Camera(lambda: _pi(settings))
    if kind.startswith(V4L2):
        return Camera(lambda: _v4l2(kind.removeprefix(V4L2)))
    if kind == "simulated":
        if settings.scene_folder is None:
            raise DriverError("the simulated camera needs board.scene_folder, the folder with its pictures")
        folder = Path(settings.scene_folder)
        return Camera(lambda: _simulated(folder))
    raise DriverError(f'there is no camera "{kind}" (known: auto, picamera2, v4l2:/dev/video0, simulated, none)')


def _pi(settings: CameraSettings) -> Source:
    from drivers.camera.pi import PiCamera

    return PiCamera(settings)


def _v4l2(path: str) -> Source:
    from drivers.camera.v4l2 import V4l2Camera

    return V4l2Camera(path)


def _simulated(folder: Path) -> Source:
    from drivers.sim.camera import SimulatedCamera

    return SimulatedCamera(folder)
