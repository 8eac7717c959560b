"""The process that reads pictures is killed, stopped and fed with what it cannot bear; the terminal goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.barcode import Decoder
from drivers.errors import DriverError, PictureError
from tests.eventually import eventually
from tests.pictures import coded, huge_png, jpeg, parcel, png

CODE = coded("TBA123456789012", "Code128")
START_S = 30.0


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    made = Decoder(deadline_s=1.0)
    yield made
    made.close()


def texts(decoder: Decoder) -> list[str]:
    return [code.text for code in decoder.decode(CODE.tobytes(), *CODE.size)]


SEEDS = [
    np.asarray(coded(text, kind, 2))
    for text, kind in (("TBA123456789012", "Code128"), ("4006381333931", "EAN13"), ("PKG-1\x0e\x0f\x01", "QRCode"), ("PKG1", "DataMatrix"))
]


def fuzzed(turn: int) -> tuple[bytes, int, int]:
    """A frame of the stream, spoilt: pixels, rows or blocks of it."""
    chance = np.random.default_rng(turn)
    frame = SEEDS[turn % len(SEEDS)].copy()
    height, width = frame.shape
    spots = int(chance.integers(1, frame.size // 2))
    frame.ravel()[chance.integers(0, frame.size, spots)] = chance.integers(0, 256, spots)
    top, left = int(chance.integers(0, height)), int(chance.integers(0, width))
    frame[top : top + 30, left : left + 30] = chance.integers(0, 256)
    frame = np.ascontiguousarray(frame[: int(chance.integers(1, height + 1)), : int(chance.integers(1, width + 1))])
    return frame.tobytes(), frame.shape[1], frame.shape[0]


def pid_of(decoder: Decoder) -> int:
    assert decoder.ready(START_S)
    assert decoder.pid is not None
    return decoder.pid


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_a_killed_reader_costs_one_picture(decoder: Decoder) -> None:
    os.kill(pid_of(decoder), signal.SIGKILL)
    assert texts(decoder) == []
    assert decoder.restarts == 1
    assert "started again" in decoder.sentence
    assert texts(decoder) == ["TBA123456789012"]
    assert decoder.sentence == ""


def test_a_reader_that_aborts_in_the_middle_of_a_picture_costs_that_picture(decoder: Decoder) -> None:
    pid = pid_of(decoder)
    os.kill(pid, signal.SIGSTOP)  # so that the signal meets it with the picture before it

    def abort() -> None:
        os.kill(pid, signal.SIGABRT)
        os.kill(pid, signal.SIGCONT)

    killer = threading.Timer(0.2, abort)
    killer.start()
    assert texts(decoder) == []
    killer.join()
    assert decoder.restarts == 1
    assert texts(decoder) == ["TBA123456789012"]


def test_a_reader_that_hangs_is_ended_at_its_deadline(decoder: Decoder) -> None:
    pid = pid_of(decoder)
    os.kill(pid, signal.SIGSTOP)
    assert texts(decoder) == []
    assert not is_alive(pid)
    assert texts(decoder) == ["TBA123456789012"]


def test_a_reader_that_dies_again_and_again_is_started_again_and_again(decoder: Decoder) -> None:
    for times in range(1, 4):
        os.kill(pid_of(decoder), signal.SIGKILL)
        assert texts(decoder) == []
        assert decoder.restarts == times
    assert texts(decoder) == ["TBA123456789012"]


def test_rows_with_padding_are_read_without_it(decoder: Decoder) -> None:
    width, height = CODE.size
    padded = b"".join(CODE.tobytes()[row * width : (row + 1) * width] + b"\x00" * 37 for row in range(height))
    (found,) = decoder.decode(memoryview(padded), width, height, width + 37)
    assert found.text == "TBA123456789012"


def test_small_and_large_pictures_take_turns_in_the_same_memory(decoder: Decoder) -> None:
    big = CODE.resize((CODE.width * 2, CODE.height * 2))
    for picture in (CODE, big, CODE, big):
        assert [code.text for code in decoder.decode(picture.tobytes(), *picture.size)] == ["TBA123456789012"]


def test_no_picture_is_no_code_and_a_lie_about_its_size_is_our_own_fault(decoder: Decoder) -> None:
    assert decoder.decode(b"", 0, 0) == []
    with pytest.raises(ValueError, match="are no picture"):
        decoder.decode(b"123", 640, 480)


def test_files_are_opened_in_the_child_and_refused_in_a_sentence(decoder: Decoder) -> None:
    assert [code.text for code in decoder.read_picture(jpeg(parcel()))] == ["00340123450000000017"]
    for data, said in [
        (b"", "empty"),
        (b"GIF89a" + b"\x00" * 50, "no picture that can be read"),
        (jpeg(parcel())[:4_000], "damaged"),
        (huge_png(10_000, 5_000), "50 megapixels and 25 is the limit"),
        (huge_png(60_000, 60_000), "far over 100"),
    ]:
        with pytest.raises(PictureError, match=said):
            decoder.read_picture(data)
    assert decoder.restarts == 0


def test_a_file_that_brings_the_reader_down_is_told(decoder: Decoder) -> None:
    os.kill(pid_of(decoder), signal.SIGKILL)
    with pytest.raises(PictureError, match="brings the barcode reader down"):
        decoder.read_picture(png(CODE))
    assert decoder.read_picture(png(CODE))


def test_damaged_files_of_every_kind_are_survived(decoder: Decoder) -> None:
    whole = [jpeg(CODE), png(CODE)]
    noise = random.Random(4)
    for turn in range(60):
        data = bytearray(whole[turn % 2])
        for _ in range(8):
            data[noise.randrange(len(data))] = noise.randrange(256)
        with contextlib.suppress(PictureError):  # anything else would be a defect
            decoder.read_picture(bytes(data), budget_ms=30)
    assert texts(decoder) == ["TBA123456789012"]


def test_fuzzed_frames_bring_nobody_down(decoder: Decoder) -> None:
    for turn in range(200):
        luma, width, height = fuzzed(turn)
        decoder.decode(luma, width, height, budget_ms=10)
    assert decoder.restarts == 0
    assert texts(decoder) == ["TBA123456789012"]


def test_nothing_is_left_behind(decoder: Decoder) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        some = Decoder(deadline_s=1.0)
        os.kill(pid_of(some), signal.SIGKILL)
        some.decode(CODE.tobytes(), *CODE.size)
        pid = pid_of(some)
        some.close()
        some.close()
        assert not is_alive(pid)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not [path for path in Path("/dev/shm").iterdir() if "roadproof-picture" in path.name]


def test_a_reader_that_can_never_work_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pyzbar.py").write_text("raise ImportError('Unable to find zbar shared library')", encoding="ascii")
    monkeypatch.setattr("drivers.barcode.decoder.ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    decoder = Decoder()
    with pytest.raises(DriverError, match="apt-get install libzbar0"):
        texts(decoder)
    assert decoder.pid is None
    decoder.close()


PARENT = """
import sys, time
from drivers.barcode import Decoder
decoder = Decoder()
assert decoder.ready(30)
print(decoder.pid, flush=True)
time.sleep(600)
"""


def test_the_reader_does_not_outlive_the_terminal() -> None:
    parent = subprocess.Popen([sys.executable, "-P", "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not is_alive(pid))
