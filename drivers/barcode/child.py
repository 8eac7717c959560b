"""The process that reads pictures: `python -P -m drivers.barcode.child SOCKET MEMORY`, two inherited file descriptors.

It has nothing to lose: no keys, no journal, no network. It ends when the terminal does (its socket says so), and by an alarm should it hang
with nobody left to end it.
"""

from __future__ import annotations

import mmap
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator

import msgspec

from drivers.barcode.barcode import Answer, Barcode, Request
from drivers.barcode.engines import Zbar, Zxing
from drivers.barcode.policy import believed
from drivers.errors import PictureError

MESSAGE_BYTES = 100_000  # what a packet of the socket may hold for certain
MEMORY_BYTES = 1 << 30  # two copies of the largest picture in colour fit four times
NICE = 5  # the recorder's next second comes first


class Reader:
    """Both engines and the policy."""

    def __init__(self) -> None:
        self._zbar = Zbar()
        self._zxing = Zxing()

    def read(self, luma: memoryview, width: int, height: int, *, thorough: bool) -> list[Barcode]:
        """First pyzbar; zxing-cpp where that found nothing to believe, or always when asked to be thorough."""
        begun_s = time.perf_counter()
        found: dict[tuple[str, str], Barcode] = {}
        for barcode in self._believed(self._zbar, luma, width, height, begun_s):
            found.setdefault((barcode.symbology, barcode.text), barcode)
        if thorough or not found:
            for barcode in self._believed(self._zxing, luma, width, height, begun_s):
                found.setdefault((barcode.symbology, barcode.text), barcode)
        return list(found.values())

    def _believed(self, engine: Zbar | Zxing, luma: memoryview, width: int, height: int, begun_s: float) -> Iterator[Barcode]:
        for reading in engine.read(luma, width, height):
            text = believed(reading.text, reading.symbology)
            if text is not None:
                yield Barcode(
                    text=text,
                    symbology="EAN13" if reading.symbology == "UPCA" else reading.symbology,
                    aim=reading.aim,
                    corners=reading.corners,
                    engine=engine.name,
                    ms=round((time.perf_counter() - begun_s) * 1000, 1),
                    raw=reading.raw,
                )


def main(socket_fd: int, memory_fd: int) -> None:
    """Answer requests until the other end is gone."""
    _confine()
    line = socket.socket(fileno=socket_fd)
    try:
        reader = Reader()
    except ImportError as error:
        line.send(
            msgspec.msgpack.encode(Answer(missing=f"The barcode library is missing ({error}); install it with: apt-get install libzbar0"))
        )
        return
    line.send(msgspec.msgpack.encode(Answer()))
    while packet := line.recv(MESSAGE_BYTES):
        request = msgspec.msgpack.decode(packet, type=Request)
        signal.alarm(request.limit_s)
        line.send(_packed(_answer(reader, memory_fd, request)))
        signal.alarm(0)


def _confine() -> None:
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the terminal, which then hangs up
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would keep the picture
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _answer(reader: Reader, memory_fd: int, request: Request) -> Answer:
    with mmap.mmap(memory_fd, request.size) as memory, memoryview(memory) as view:
        if request.width:
            return Answer(barcodes=tuple(reader.read(view, request.width, request.height, thorough=request.thorough)))
        try:
            return Answer(barcodes=tuple(_read_file(reader, bytes(view))))
        except PictureError as error:
            return Answer(refusal=str(error))


def _read_file(reader: Reader, data: bytes) -> list[Barcode]:
    from drivers.camera.photo import read_picture

    grey = read_picture(data).convert("L")
    with memoryview(bytearray(grey.tobytes())) as luma:
        return reader.read(luma, grey.width, grey.height, thorough=True)


def _packed(answer: Answer) -> bytes:
    """A picture full of full codes: as many as a packet holds."""
    packed = msgspec.msgpack.encode(answer)
    while len(packed) > MESSAGE_BYTES:
        answer = Answer(barcodes=answer.barcodes[: len(answer.barcodes) // 2])
        packed = msgspec.msgpack.encode(answer)
    return packed


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
