"""Cameras: a Raspberry Pi's, a laptop's, or simulated scenes, all with the same three things to ask for: frame, preview, still."""

from drivers.camera.camera import Camera
from drivers.camera.frame import CameraSettings, Frame, Photo, Source, Stamp
from drivers.camera.opening import open_camera
from drivers.camera.photo import develop, read_picture

__all__ = ["Camera", "CameraSettings", "Frame", "Photo", "Source", "Stamp", "develop", "open_camera", "read_picture"]
