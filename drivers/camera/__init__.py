"""Cameras: a Raspberry Pi's, a laptop's, or simulated scenes, all with the same three things to ask for: frame, preview, still.

Nothing here loads PIL: a unit without a screen reads the settings of its camera, and no more.
"""

from drivers.camera.camera import Camera
from drivers.camera.frame import CameraSettings, Frame, Photo, Source, Stamp
from drivers.camera.opening import open_camera

__all__ = ["Camera", "CameraSettings", "Frame", "Photo", "Source", "Stamp", "open_camera"]
