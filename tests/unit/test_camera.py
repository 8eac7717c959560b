"""A photo as evidence, pictures from strangers, and a camera whose faults are states."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageEnhance, ImageFilter

from drivers.camera import Camera, CameraSettings, Frame, Stamp, open_camera
from drivers.camera.photo import PHOTO_BYTES, develop, glance, read_picture, view
from drivers.errors import CameraError, DriverError, PictureError
from drivers.sim import scenes
from drivers.sim.camera import CameraHands, SimulatedCamera
from tests.pictures import huge_png, jpeg, parcel, png

AT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
SCENES = [pytest.param(scenes.doorstep(), id="doorstep"), pytest.param(parcel(), id="parcel")]


def seen_by_a_sensor(scene: Image.Image, *, gain: float = 1.0, blur_px: float = 0.0) -> Image.Image:
    """With the noise that a real one adds: blur is easier to see without."""
    lit = ImageEnhance.Brightness(scene.filter(ImageFilter.GaussianBlur(blur_px))).enhance(gain)
    noise = np.random.default_rng(7).normal(0, 4, (scene.height, scene.width, 1))
    return Image.fromarray((np.asarray(lit).astype(float) + noise).clip(0, 255).astype(np.uint8))


def exif_of(data: bytes) -> Image.Exif:
    return Image.open(io.BytesIO(data)).getexif()


@pytest.mark.parametrize("scene", SCENES)
def test_a_good_photo_has_no_warning(scene: Image.Image) -> None:
    assert develop(seen_by_a_sensor(scene)).warning is None
    assert develop(seen_by_a_sensor(scene, gain=0.5)).warning is None
    assert develop(seen_by_a_sensor(scene, blur_px=1.5)).warning is None


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("blur_px", [4, 6, 12])
def test_a_photo_on_which_no_label_can_be_read_is_blurred(scene: Image.Image, blur_px: float) -> None:
    assert develop(seen_by_a_sensor(scene, blur_px=blur_px)).warning == "blurred"


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("gain", [0.0, 0.06, 0.2])
def test_a_photo_in_the_dark_is_dark_and_not_blurred(scene: Image.Image, gain: float) -> None:
    assert develop(seen_by_a_sensor(scene, gain=gain)).warning == "dark"


def test_blur_means_the_same_on_a_camera_with_more_pixels() -> None:
    large = scenes.doorstep().resize((2_560, 1_920))
    assert develop(large).warning is None
    assert develop(large.filter(ImageFilter.GaussianBlur(10))).warning == "blurred"


def test_the_worst_picture_still_fits() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1_536, 2_048, 3), dtype=np.uint8)
    photo = develop(Image.fromarray(noise), Stamp(at=AT, lat_deg=1, lon_deg=1))
    assert len(photo.jpeg) <= PHOTO_BYTES
    assert Image.open(io.BytesIO(photo.jpeg)).size == (photo.width, photo.height)


def test_an_ordinary_photo_keeps_its_size() -> None:
    photo = develop(scenes.doorstep().resize((2_560, 1_920)))
    assert (photo.width, photo.height) == (2_048, 1_536)
    assert len(photo.jpeg) <= PHOTO_BYTES


def test_time_and_place_are_in_the_exif() -> None:
    exif = exif_of(develop(scenes.doorstep(), Stamp(at=AT, lat_deg=-33.8688, lon_deg=151.2093, accuracy_m=4.2)).jpeg)
    times = exif.get_ifd(ExifTags.IFD.Exif)
    assert times[ExifTags.Base.DateTimeOriginal] == "2026:03:04 05:06:07"
    assert times[ExifTags.Base.OffsetTimeOriginal] == "+00:00"
    assert times[ExifTags.Base.SubsecTimeOriginal] == "089"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert (place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef]) == ("S", "E")
    assert [float(part) for part in place[ExifTags.GPS.GPSLatitude]] == [33, 52, 7.68]
    assert [float(part) for part in place[ExifTags.GPS.GPSLongitude]] == [151, 12, 33.48]
    assert float(place[ExifTags.GPS.GPSHPositioningError]) == 4.2
    assert place[ExifTags.GPS.GPSDateStamp] == "2026:03:04"
    assert [float(part) for part in place[ExifTags.GPS.GPSTimeStamp]] == [5, 6, 7]


def test_what_is_not_known_is_not_in_the_exif() -> None:
    exif = exif_of(develop(scenes.doorstep()).jpeg)
    assert ExifTags.Base.DateTime not in exif
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert not exif_of(develop(scenes.doorstep(), Stamp(at=AT)).jpeg).get_ifd(ExifTags.IFD.GPSInfo)


def test_a_dropped_pictures_own_exif_does_not_become_ours() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "somebody"
    buffer = io.BytesIO()
    scenes.doorstep().save(buffer, "JPEG", exif=exif)
    assert ExifTags.Base.Artist not in exif_of(develop(read_picture(buffer.getvalue())).jpeg)


def test_a_phones_picture_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    buffer = io.BytesIO()
    scenes.doorstep().save(buffer, "JPEG", exif=exif)
    assert read_picture(buffer.getvalue()).size == (960, 1_280)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no picture"),
        (b"%PDF-1.7", "no picture"),
        (jpeg(parcel())[:3_000], "damaged"),
        (png(parcel())[:60_000], "damaged"),
        (huge_png(10_000, 5_000), "50 megapixels and 25 is the limit; take it at a lower resolution"),
        (huge_png(100_000, 100_000), "megapixels and 25 is the limit"),
    ],
)
def test_a_picture_that_cannot_be_used_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(PictureError, match=said) as error:
        read_picture(data)
    assert "\n" not in str(error.value)


def test_a_glance_refuses_before_anything_is_decoded() -> None:
    assert glance(jpeg(parcel())).size == scenes.SIZE
    with pytest.raises(PictureError):
        glance(huge_png(10_000, 5_000))


def test_the_viewfinders_picture_is_small_and_keeps_its_shape() -> None:
    small = Image.open(io.BytesIO(view(Image.new("RGB", (1_920, 1_080)))))
    assert small.size == (640, 360)


class Cable:
    """A source that can be pulled out; counts how often it was opened and closed."""

    def __init__(self) -> None:
        self.fault: CameraError | None = None
        self.opened = self.closed = 0

    def open(self) -> Cable:
        if self.fault is not None:
            raise self.fault
        self.opened += 1
        return self

    def frame(self, _timeout_s: float) -> Frame | None:
        if self.fault is not None:
            raise self.fault
        return Frame(luma=bytes(64), width=8, height=8, stride=8, n=self.opened)

    def view(self) -> Image.Image:
        return Image.new("RGB", (8, 8))

    def still(self) -> Image.Image:
        if self.fault is not None:
            raise self.fault
        return Image.new("RGB", (8, 8))

    def refocus(self) -> None:
        """Fixed."""

    def close(self) -> None:
        self.closed += 1


def test_a_camera_is_opened_when_it_is_needed_and_not_before() -> None:
    cable = Cable()
    camera = Camera(cable.open)
    assert (camera.state, camera.sentence, cable.opened) == ("opening", "", 0)
    assert camera.frame() is not None
    assert camera.preview()
    assert (camera.state, cable.opened) == ("ok", 1)
    camera.rest()
    assert (camera.state, cable.closed) == ("ok", 1)
    assert camera.still().width == 8
    camera.close()
    camera.close()
    assert cable.closed == 2


@pytest.mark.parametrize("state", ["missing", "busy", "unplugged", "broken"])
def test_a_fault_is_a_state_with_a_sentence_and_the_next_try_opens_anew(state: str) -> None:
    cable = Cable()
    camera = Camera(cable.open)
    camera.frame()
    cable.fault = CameraError(state, "Do this.")  # type: ignore[arg-type]  # parametrized
    with pytest.raises(CameraError, match="Do this"):
        camera.frame()
    assert (camera.state, camera.sentence, cable.closed) == (state, "Do this.", 1)
    with pytest.raises(CameraError, match="Do this"):
        camera.still()
    cable.fault = None
    assert camera.frame() is not None
    assert (camera.state, camera.sentence, cable.opened) == ("ok", "", 2)


def test_no_camera_at_all_is_a_state_too() -> None:
    camera = open_camera(CameraSettings())
    assert camera.state == "none"
    assert "hand scanner" in camera.sentence
    with pytest.raises(CameraError, match="no camera"):
        camera.still()


def test_settings_that_name_no_camera_are_refused() -> None:
    with pytest.raises(DriverError, match='no camera "webcam"'):
        open_camera(CameraSettings(kind="webcam"))
    with pytest.raises(DriverError, match=r"needs board\.scene_folder"):
        open_camera(CameraSettings(kind="simulated"))


def test_the_simulated_camera_sees_what_hands_show(tmp_path: Path) -> None:
    hands = CameraHands(tmp_path)
    camera = open_camera(CameraSettings(kind="simulated", scene_folder=str(tmp_path)))
    doorstep = camera.frame()
    hands.show_parcel(["(00)340123450000000017"])
    held = camera.frame()
    assert doorstep is not None
    assert held is not None
    assert held.n > doorstep.n
    assert held.luma != doorstep.luma
    assert camera.still().warning is None
    hands.clear()
    again = camera.frame()
    assert again is not None
    assert again.luma == doorstep.luma
    camera.close()


def test_the_simulated_camera_is_unplugged_dimmed_and_put_out_of_focus(tmp_path: Path) -> None:
    hands = CameraHands(tmp_path)
    camera = open_camera(CameraSettings(kind="simulated", scene_folder=str(tmp_path)))
    assert camera.still().warning is None
    hands.unplug()
    with pytest.raises(CameraError):
        camera.frame()
    assert camera.state == "unplugged"
    with pytest.raises(CameraError):
        camera.frame()
    assert camera.state == "missing"
    hands.plug()
    hands.darken()
    assert camera.still().warning == "dark"
    assert camera.state == "ok"
    hands.darken(1)
    hands.blur()
    assert camera.still().warning == "blurred"
    camera.close()


def test_a_folder_of_pictures_is_shown_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for shade in (10, 200):
        Image.new("RGB", (64, 48), (shade,) * 3).save(tmp_path / f"{shade}.png")
    camera = SimulatedCamera(tmp_path)
    shades = []
    for now_s in (0.0, 3.0, 6.0):
        monkeypatch.setattr("drivers.sim.camera.time.monotonic", lambda now_s=now_s: now_s)
        shades.append(camera.still().getpixel((0, 0)))
    assert shades == [(10, 10, 10), (200, 200, 200), (10, 10, 10)]


def test_a_folder_that_is_not_there_or_holds_nonsense_is_a_state(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="is not there") as error:
        SimulatedCamera(tmp_path / "none")
    assert error.value.state == "missing"
    (tmp_path / "scene.png").write_bytes(b"nonsense")
    with pytest.raises(CameraError, match=r"cannot see scene\.png"):
        SimulatedCamera(tmp_path)
