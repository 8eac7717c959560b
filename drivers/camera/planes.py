"""Pictures out of the bytes that cameras send: planar and packed YUV, each with the padding of its rows."""

from __future__ import annotations

from PIL import Image

PLANAR = frozenset({"YUV420", "NV12"})


def colour(data: bytes | memoryview, layout: str, width: int, height: int, stride: int) -> Image.Image:
    """The colour picture of a YUV420 or NV12 buffer whose luma rows are `stride` bytes apart; width and height are even."""
    whole = bytes(data)
    luma = Image.frombuffer("L", (width, height), whole, "raw", "L", stride, 1)
    chroma = whole[stride * height :]
    half = (width // 2, height // 2)
    if layout == "NV12":
        planes = [Image.frombuffer("L", half, chroma[offset::2], "raw", "L", stride // 2, 1) for offset in (0, 1)]
    else:
        size = stride // 2 * half[1]
        planes = [Image.frombuffer("L", half, chroma[start : start + size], "raw", "L", stride // 2, 1) for start in (0, size)]
    return Image.merge("YCbCr", [luma, *(plane.resize((width, height), Image.Resampling.NEAREST) for plane in planes)])


def luma_of_yuyv(data: bytes, width: int, height: int, stride: int) -> bytes:
    """The luma of a packed YUYV buffer, rows without padding."""
    if stride == 2 * width:
        return data[: 2 * width * height : 2]
    return b"".join(data[row * stride : row * stride + 2 * width : 2] for row in range(height))


def colour_of_yuyv(data: bytes, width: int, height: int, stride: int) -> Image.Image:
    """The colour picture of a packed YUYV buffer; the width is even."""
    packed = b"".join(data[row * stride : row * stride + 2 * width] for row in range(height))
    luma = Image.frombuffer("L", (width, height), packed[0::2], "raw", "L", 0, 1)
    chroma = [Image.frombuffer("L", (width // 2, height), packed[offset::4], "raw", "L", 0, 1) for offset in (1, 3)]
    return Image.merge("YCbCr", [luma, *(plane.resize((width, height), Image.Resampling.NEAREST) for plane in chroma)])
