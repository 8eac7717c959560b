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

import msgspec
import numpy as np

from drivers.barcode.barcode import Answer, Barcode, Request
from drivers.barcode.reader import Reader
from drivers.errors import PictureError

MESSAGE_BYTES = 100_000  # what a packet of the socket may hold for certain
MEMORY_BYTES = 1 << 30  # two copies of the largest picture in colour fit four times
NICE = 5  # the recorder's next second comes first


def main(socket_fd: int, memory_fd: int) -> None:
    """Answer requests until the other end is gone."""
    _confine()
    line = socket.socket(fileno=socket_fd)
    try:
        readers = {"both": Reader()}
    except ImportError as error:
        line.send(
            msgspec.msgpack.encode(Answer(missing=f"The barcode library is missing ({error}); install it with: apt-get install libzbar0"))
        )
        return
    line.send(msgspec.msgpack.encode(Answer()))
    while packet := line.recv(MESSAGE_BYTES):
        request = msgspec.msgpack.decode(packet, type=Request)
        signal.alarm(request.limit_s)
        if request.engines not in readers:
            readers[request.engines] = Reader(request.engines)
        line.send(_packed(_answer(readers[request.engines], memory_fd, request)))
        signal.alarm(0)


def _confine() -> None:
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the terminal, which then hangs up
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would keep the picture
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _answer(reader: Reader, memory_fd: int, request: Request) -> Answer:
    with mmap.mmap(memory_fd, request.size) as memory, memoryview(memory) as view:
        if request.width:
            luma = np.frombuffer(view, np.uint8).reshape(request.height, request.width).copy()  # the memory is the next picture's
            if request.budget_ms is None:
                return Answer(barcodes=tuple(reader.read(luma, None)))
            barcodes = tuple(reader.watch(luma, request.budget_ms))
            return Answer(barcodes=barcodes, module_px=reader.module_px)
        try:
            return Answer(barcodes=tuple(_read_file(reader, bytes(view), request.budget_ms)))
        except PictureError as error:
            return Answer(refusal=str(error))


def _read_file(reader: Reader, data: bytes, budget_ms: float | None) -> list[Barcode]:
    from drivers.camera.photo import read_picture

    return reader.read(np.asarray(read_picture(data).convert("L")), budget_ms)


def _packed(answer: Answer) -> bytes:
    """A picture full of full codes: as many as a packet holds."""
    packed = msgspec.msgpack.encode(answer)
    while len(packed) > MESSAGE_BYTES:
        answer = msgspec.structs.replace(answer, barcodes=answer.barcodes[: len(answer.barcodes) // 2])
        packed = msgspec.msgpack.encode(answer)
    return packed


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
