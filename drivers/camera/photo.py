"""A picture as evidence: a small JPEG with time and place, and a word where it is blurred or dark; pictures from strangers, checked."""

from __future__ import annotations

import io
import warnings
from fractions import Fraction

from PIL import ExifTags, Image, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

from drivers.camera.frame import Flaw, Photo, Stamp
from drivers.errors import PictureError

PHOTO_BYTES = 300_000
LONG_SIDE_PX = 2_048  # a house number across the street stays readable, and 300 kB suffice
QUALITIES = (85, 75, 65, 55, 45)
VIEW_PX = (640, 480)
VIEW_QUALITY = 70
LIMIT_PIXELS = 25_000_000  # the largest ordinary picture of a phone has 24.5 megapixels
FORMATS = ("JPEG", "PNG", "WEBP", "PPM")
MEASURED_PX = 640  # both measures are taken at this width, so that they mean the same for every camera
# Mean luma. Of the doorstep and the parcel of drivers/sim/scenes.py at a quarter of daylight, where a house number is hard to read: 27 and
# 34; at 0.4 of it, where it is not: 43 and 56.
DARK_UNDER = 40.0
# Variance of the Laplacian, on the same scenes with a sensor's noise: sharp 460 and 720; out of focus by a sigma of 1 pixel at this width,
# where the label's text can just be read, 69 and 160; by 2 pixels, where it cannot, 24 and 25, of which the noise alone is 20.
BLURRED_UNDER = 30.0
LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


def develop(picture: Image.Image, stamp: Stamp | None = None) -> Photo:
    """Make the photo: at most LONG_SIDE_PX wide or high and PHOTO_BYTES long, stamped and judged."""
    picture = picture.convert("RGB")
    picture.thumbnail((LONG_SIDE_PX, LONG_SIDE_PX))
    sharpness, brightness = measure(picture)
    jpeg, size = _within(picture, _exif(stamp or Stamp()))
    return Photo(
        jpeg=jpeg,
        width=size[0],
        height=size[1],
        sharpness=round(sharpness, 1),
        brightness=round(brightness, 1),
        warning=_warning(sharpness, brightness),
    )


def view(picture: Image.Image) -> bytes:
    """A JPEG for the viewfinder, within 640 by 480."""
    small = picture.convert("RGB") if picture.mode not in {"RGB", "YCbCr", "L"} else picture.copy()
    small.thumbnail(VIEW_PX)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=VIEW_QUALITY)
    return buffer.getvalue()


def read_picture(data: bytes) -> Image.Image:
    """Open a picture file from outside, turned upright. Raises PictureError: no picture, damaged, or over 25 megapixels."""
    picture = glance(data)
    try:
        picture.load()
        return ImageOps.exif_transpose(picture).convert("RGB" if picture.mode != "L" else "L")
    except Exception as error:  # noqa: BLE001  Pillow's readers raise what a damaged file makes them: OSError, SyntaxError, struct.error...
        raise _damaged(error) from None


def glance(data: bytes) -> Image.Image:
    """The picture of a file whose beginning alone was read. Raises PictureError: no picture, damaged, or over 25 megapixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours, and lower
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise PictureError(_too_large("far over 100")) from None
    except UnidentifiedImageError:
        raise PictureError("this is no picture that can be read; take a JPEG or a PNG") from None
    except Exception as error:  # noqa: BLE001  as above
        raise _damaged(error) from None
    pixels = picture.width * picture.height
    if pixels > LIMIT_PIXELS:
        raise PictureError(_too_large(f"{pixels / 1e6:.0f}"))
    return picture


def measure(picture: Image.Image) -> tuple[float, float]:
    """Sharpness (variance of the Laplacian) and brightness (mean luma), both at a width of MEASURED_PX."""
    luma = picture.convert("L")
    height = max(3, round(luma.height * MEASURED_PX / luma.width))
    luma = luma.resize((MEASURED_PX, height), Image.Resampling.BILINEAR)
    edges = luma.filter(LAPLACIAN).crop((1, 1, MEASURED_PX - 1, height - 1))
    return ImageStat.Stat(edges).var[0], ImageStat.Stat(luma).mean[0]


def _warning(sharpness: float, brightness: float) -> Flaw | None:
    """Darkness first: in the dark a picture has no edges either."""
    if brightness < DARK_UNDER:
        return "dark"
    return "blurred" if sharpness < BLURRED_UNDER else None


def _within(picture: Image.Image, exif: bytes) -> tuple[bytes, tuple[int, int]]:
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, exif=exif)
            if buffer.tell() <= PHOTO_BYTES:
                return buffer.getvalue(), picture.size
        picture = picture.resize((max(1, picture.width * 3 // 4), max(1, picture.height * 3 // 4)))


def _exif(stamp: Stamp) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Roadproof"
    if stamp.at is not None:
        text = f"{stamp.at:%Y:%m:%d %H:%M:%S}"
        exif[ExifTags.Base.DateTime] = text
        exif.get_ifd(ExifTags.IFD.Exif).update(
            {
                ExifTags.Base.DateTimeOriginal: text,
                ExifTags.Base.OffsetTimeOriginal: "+00:00",
                ExifTags.Base.SubsecTimeOriginal: f"{stamp.at.microsecond // 1000:03d}",
            }
        )
    if stamp.lat_deg is not None and stamp.lon_deg is not None:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_gps(stamp, stamp.lat_deg, stamp.lon_deg))
    return exif.tobytes()


def _gps(stamp: Stamp, lat_deg: float, lon_deg: float) -> dict[int, object]:
    gps: dict[int, object] = {
        ExifTags.GPS.GPSVersionID: b"\x02\x03\x00\x00",
        ExifTags.GPS.GPSLatitudeRef: "N" if lat_deg >= 0 else "S",
        ExifTags.GPS.GPSLatitude: _sexagesimal(lat_deg),
        ExifTags.GPS.GPSLongitudeRef: "E" if lon_deg >= 0 else "W",
        ExifTags.GPS.GPSLongitude: _sexagesimal(lon_deg),
        ExifTags.GPS.GPSMapDatum: "WGS-84",
    }
    if stamp.accuracy_m is not None:
        gps[ExifTags.GPS.GPSHPositioningError] = float(round(stamp.accuracy_m, 1))
    if stamp.at is not None:
        gps[ExifTags.GPS.GPSDateStamp] = f"{stamp.at:%Y:%m:%d}"
        gps[ExifTags.GPS.GPSTimeStamp] = (float(stamp.at.hour), float(stamp.at.minute), float(stamp.at.second))
    return gps


def _sexagesimal(angle_deg: float) -> tuple[float, float, Fraction]:
    """Degrees, minutes and seconds to a hundredth (0.3 m)."""
    hundredths = round(abs(angle_deg) * 360_000)
    degrees, rest = divmod(hundredths, 360_000)
    minutes, seconds = divmod(rest, 6_000)
    return float(degrees), float(minutes), Fraction(seconds, 100)


def _damaged(error: Exception) -> PictureError:
    return PictureError(f"the picture is damaged ({type(error).__name__}); take it again")


def _too_large(megapixels: str) -> str:
    return f"the picture has {megapixels} megapixels and {LIMIT_PIXELS // 1_000_000} is the limit; take it at a lower resolution"
