"""The roads between unit and broker: what each hand does to a connection, and what is left when a tunnel's process is killed."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from cli.road import far_side, packets
from cli.road.far_side import FarSide
from cli.road.road import Road
from cli.road.tunnel import Tunnel
from tests.eventually import eventually

SHORT_S = 0.3  # what must not come does not come in this time
PATIENCE_S = 10.0
needs_root = pytest.mark.skipif(far_side.lacking() is not None, reason=f"{far_side.lacking()}")

ECHO = """
import socket, threading
def serve(one):
    try:
        while data := one.recv(65536):
            one.sendall(data)
    except OSError:
        pass
    one.close()
listener = socket.create_server(("0.0.0.0", 7))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server of this machine that says everything back."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        ends = [listener]
        while True:
            for ready in select.select(ends, [], [])[0]:
                if ready is listener:
                    with suppress(OSError):
                        ends.append(listener.accept()[0])
                        continue
                    return
                with suppress(OSError):
                    if data := ready.recv(65_536):
                        ready.sendall(data)
                        continue
                ends.remove(ready)
                ready.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def call(host: str, port: int) -> socket.socket:
    return socket.create_connection((host, port), PATIENCE_S)


def says_back(line: socket.socket, said: bytes) -> bool:
    line.settimeout(PATIENCE_S)
    line.sendall(said)
    heard = b""
    while len(heard) < len(said):
        heard += line.recv(65_536)
    return heard == said


def is_silent(line: socket.socket) -> bool:
    line.settimeout(SHORT_S)
    with suppress(TimeoutError):
        return not line.recv(1) and False
    return True


def is_hung_up(line: socket.socket) -> bool:
    line.settimeout(PATIENCE_S)
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True


# --- of connections


def test_a_road_carries_both_ways_and_counts(echo: int) -> None:
    with Road(echo) as road, closing(call("127.0.0.1", road.port)) as line:
        assert says_back(line, b"x" * 300_000)
        assert (road.carried.connections, road.carried.up_bytes, road.carried.down_bytes) == (1, 300_000, 300_000)


def test_a_cut_road_hangs_up_on_everybody_until_it_is_restored(echo: int) -> None:
    with Road(echo) as road, closing(call("127.0.0.1", road.port)) as line:
        assert says_back(line, b"before")
        road.cut()
        assert road.is_cut
        assert is_hung_up(line)
        with closing(call("127.0.0.1", road.port)) as another:
            assert is_hung_up(another)
        road.restore()
        with closing(call("127.0.0.1", road.port)) as later:
            assert says_back(later, b"after")


def test_broken_connections_break_and_new_ones_get_through(echo: int) -> None:
    with Road(echo) as road, closing(call("127.0.0.1", road.port)) as line:
        assert says_back(line, b"before")
        road.break_connections()
        assert is_hung_up(line)
        with closing(call("127.0.0.1", road.port)) as another:
            assert says_back(another, b"after")


def test_a_black_hole_takes_everything_says_nothing_and_hangs_up_on_nobody(echo: int) -> None:
    with Road(echo) as road, closing(call("127.0.0.1", road.port)) as line:
        assert says_back(line, b"before")
        road.black_hole()
        line.sendall(b"lost")
        assert is_silent(line)
        road.restore()
        assert is_hung_up(line)
        with closing(call("127.0.0.1", road.port)) as another:
            assert says_back(another, b"after")


def test_what_is_on_its_way_when_a_slow_road_turns_into_a_black_hole_never_arrives(echo: int) -> None:
    with Road(echo, delay_s=0.1) as road, closing(call("127.0.0.1", road.port)) as line:
        line.sendall(b"on its way")
        eventually(lambda: road.carried.up_bytes == 10)
        road.black_hole()
        assert is_silent(line)
        assert road.carried.down_bytes == 0


def test_a_slow_and_late_road_takes_its_time(echo: int) -> None:
    with Road(echo, rate_bps=400_000, delay_s=0.05) as road, closing(call("127.0.0.1", road.port)) as line:
        began_s = time.monotonic()
        assert says_back(line, b"x" * 20_000)
        assert time.monotonic() - began_s >= 0.4 + 0.1  # the way back begins while the way there is still busy
        road.pace()
        assert says_back(line, b"x" * 300_000)


def test_a_hang_up_goes_through_when_all_before_it_has_arrived(echo: int) -> None:
    with Road(echo, delay_s=0.05) as road, closing(call("127.0.0.1", road.port)) as line:
        line.sendall(b"last words")
        line.shutdown(socket.SHUT_WR)
        heard = b""
        with suppress(ConnectionResetError):
            while part := line.recv(100):
                heard += part
        assert road.carried.up_bytes == 10
        assert is_hung_up(line) or heard == b"last words"


def test_a_road_to_nobody_hangs_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with Road(port) as road, closing(call("127.0.0.1", road.port)) as line:
        assert is_hung_up(line)


# --- of packets


@pytest.fixture
def side() -> Iterator[FarSide]:
    with FarSide() as made:
        server = subprocess.Popen(made.command(sys.executable, "-c", ECHO))
        yield made
        server.kill()
        server.wait()


def call_far(tunnel: Tunnel) -> socket.socket:
    """A line to the echo there, as soon as it listens."""

    def called() -> socket.socket | None:
        try:
            return call(tunnel.far, 7)
        except OSError:
            return None

    line = eventually(called)
    assert line is not None
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


@needs_root
def test_a_tunnel_counts_every_packet_with_its_headers(side: FarSide) -> None:
    with Tunnel(side) as tunnel, closing(call_far(tunnel)) as line:
        before = tunnel.count
        assert says_back(line, b"x" * 100)
        after = tunnel.count
        assert after.up_bytes - before.up_bytes >= 152  # 20 of IP, 32 of TCP
        assert after.down_bytes - before.down_bytes >= 152
        assert after.lost == 0


@needs_root
def test_a_tunnel_is_as_late_as_it_is_told(side: FarSide) -> None:
    with Tunnel(side) as tunnel, closing(call_far(tunnel)) as line:
        tunnel.pace(delay_s=0.05)
        began_s = time.monotonic()
        assert says_back(line, b"x")
        assert time.monotonic() - began_s >= 0.1


@needs_root
def test_what_a_lossy_tunnel_loses_tcp_sends_again(side: FarSide) -> None:
    with Tunnel(side, seed=3) as tunnel, closing(call_far(tunnel)) as line:
        tunnel.pace(loss=0.2)
        assert says_back(line, b"x" * 20_000)
        assert tunnel.count.lost > 0


@needs_root
def test_a_connection_outlives_a_black_hole_of_packets(side: FarSide) -> None:
    with Tunnel(side) as tunnel, closing(call_far(tunnel)) as line:
        assert says_back(line, b"before")
        tunnel.black_hole()
        line.sendall(b"x")
        assert is_silent(line)
        tunnel.restore()
        line.settimeout(PATIENCE_S)
        assert line.recv(1) == b"x"


@needs_root
def test_a_tunnel_resets_connections_and_lets_new_ones_through(side: FarSide) -> None:
    with Tunnel(side) as tunnel, closing(call_far(tunnel)) as line:
        assert says_back(line, b"before")
        tunnel.break_connections()
        assert is_hung_up(line)
        with closing(call_far(tunnel)) as another:
            assert says_back(another, b"after")


def test_a_reset_is_the_answer_of_one_who_knows_nothing_of_the_connection() -> None:
    header = bytes.fromhex("4500002800010000400600000a0000010a000002")
    asked = header + bytes.fromhex("04d20050000000640000c8005010ffff00000000")
    told = packets.reset(asked)
    assert packets.flow_of(told) == packets.answer_of(packets.flow_of(asked) or b"")
    assert packets.is_reset(told)
    assert told[24:28] == asked[28:32]  # its number is the one that is waited for
    greeting = header + bytes.fromhex("04d2005000000064000000005002ffff00000000")
    assert packets.reset(greeting)[28:32] == (101).to_bytes(4, "big")


@needs_root
def test_nothing_is_left_of_a_tunnel_whose_process_is_killed(tmp_path: Path) -> None:
    script = """
import subprocess, sys, time
from cli.road.far_side import FarSide
from cli.road.tunnel import Tunnel
side = FarSide()
tunnel = Tunnel(side)
child = subprocess.Popen(side.command("sleep", "600"))
print(tunnel.near, child.pid, flush=True)
time.sleep(600)
"""
    holder = subprocess.Popen(
        [sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert holder.stdout is not None
    with holder.stdout:
        near, child = holder.stdout.readline().split()
    assert near in addresses()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    eventually(lambda: near not in addresses())
    eventually(lambda: not is_alive(int(child)))


def addresses() -> str:
    return Path("/proc/net/fib_trie").read_text(encoding="ascii")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except OSError:
        return False
