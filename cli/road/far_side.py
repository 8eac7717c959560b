"""The far side of the tunnels: a network of its own on this machine, in which a broker and a receiver stand.

It is a network namespace without a name. Nothing holds it but this process and the programs started in it, and the devices are
not persistent: whatever way the process ends, the kernel clears all of it away. Needs root.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import itertools
import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

Made = TypeVar("Made")

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # linux/if_tun.h
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFDSTADDR, SIOCSIFMTU = 0x8913, 0x8914, 0x8916, 0x8918, 0x8922  # linux/sockios.h
IFF_UP = 0x1
MTU_BYTES = 1_400  # mobile networks carry their packets in packets of their own
TUN = "/dev/net/tun"
BENCH_NETWORK = int.from_bytes(socket.inet_aton("198.18.0.0"), "big")  # kept for benchmarks of networks (RFC 2544)
PAIRS = 1 << 15  # pairs of addresses in it
PAIRS_A_PROCESS = 64
NEEDED = ("nsenter", "setpriv")  # both of util-linux, which every Debian has

_pairs = itertools.count()


class FarSideError(Exception):
    """No network of its own can be made here; the sentence says why."""


def lacking() -> str | None:
    """Why this process cannot make one, in a sentence; None when it can."""
    if os.geteuid() != 0:
        return "a tunnel of IP packets needs root"
    if not os.path.exists(TUN):  # noqa: PTH110  a device, not a file
        return f"this kernel has no {TUN}; load its module with: modprobe tun"
    gone = [name for name in NEEDED if shutil.which(name) is None]
    return f"a tunnel needs {' and '.join(gone)}; install with: apt-get install util-linux" if gone else None


class FarSide:
    """The network; use it in a `with`, or `close` it."""

    def __init__(self) -> None:
        reason = lacking()
        if reason is not None:
            raise FarSideError(reason)
        self._space = _on_thread(_new_space)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let it go; it is gone when the last program in it has ended."""
        os.close(self._space)

    def command(self, *words: str) -> list[str]:
        """The words that run a program there; it ends with the thread that starts it."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._space}", "setpriv", "--pdeathsig", "KILL", *words]

    def connect(self) -> Ends:
        """Two TUN devices, one here and one there, each the other's peer; what is written to one device by its number is received there."""
        pair = (os.getpid() * PAIRS_A_PROCESS + next(_pairs) % PAIRS_A_PROCESS) % PAIRS
        near, far = (_address(BENCH_NETWORK + pair * 4 + host) for host in (1, 2))
        here = _open_tun(near, far)
        try:
            there = _on_thread(lambda: _inside(self._space, lambda: _open_tun(far, near)))
        except BaseException:
            os.close(here)
            raise
        return Ends(near, far, here, there)


class Ends:
    """Both ends of a tunnel: their addresses, and the numbers of their open devices."""

    def __init__(self, near: str, far: str, near_device: int, far_device: int) -> None:
        self.near, self.far = near, far
        self.near_device, self.far_device = near_device, far_device

    def close(self) -> None:
        """Both devices vanish."""
        os.close(self.near_device)
        os.close(self.far_device)


def _on_thread(work: Callable[[], Made]) -> Made:
    """Do it on a thread that ends with it: a thread that has changed its network does nothing else any more."""
    made: list[Made] = []
    failed: list[OSError] = []

    def run() -> None:
        try:
            made.append(work())
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="far-side")
    thread.start()
    thread.join()
    if failed:
        raise FarSideError(f"this machine lets nobody make a network of its own: {failed[0].strerror}") from failed[0]
    return made[0]


def _new_space() -> int:
    _checked(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET))
    _bring_up("lo")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _inside(space: int, work: Callable[[], Made]) -> Made:
    _checked(ctypes.CDLL(None, use_errno=True).setns(space, CLONE_NEWNET))
    return work()


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno() or errno.EPERM
        raise OSError(code, os.strerror(code))


def _open_tun(own: str, peer: str) -> int:
    """A device with its address in the network of the calling thread; its number, not blocking."""
    device = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        asked = struct.pack("16sH22x", b"road%d", IFF_TUN | IFF_NO_PI)
        name = fcntl.ioctl(device, TUNSETIFF, asked)[:16].rstrip(b"\0").decode()
        _set(name, SIOCSIFADDR, _as_sockaddr(own))
        _set(name, SIOCSIFDSTADDR, _as_sockaddr(peer))
        _set(name, SIOCSIFMTU, struct.pack("i20x", MTU_BYTES))
        _bring_up(name)
    except BaseException:
        os.close(device)
        raise
    return device


def _bring_up(name: str) -> None:
    flags = struct.unpack_from("h", _set(name, SIOCGIFFLAGS, bytes(24)), 16)[0]
    _set(name, SIOCSIFFLAGS, struct.pack("h22x", flags | IFF_UP))


def _set(name: str, request: int, value: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        return fcntl.ioctl(asker, request, struct.pack("16s24s", name.encode(), value))


def _as_sockaddr(address: str) -> bytes:
    return struct.pack("HH4s16x", socket.AF_INET, 0, socket.inet_aton(address))


def _address(number: int) -> str:
    return socket.inet_ntoa(number.to_bytes(4, "big"))
