"""A broker of this machine's own for the demo and the bench: mosquitto on a free loopback port."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
"""


def program() -> str | None:
    """Where mosquitto is; Debian keeps it where ordinary users do not look."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port(liked: int = 0) -> int:
    """A loopback port that nobody listens on now, the one that is liked where it can be."""
    try:
        probe = socket.create_server(("127.0.0.1", liked))
    except OSError:
        return free_port()
    with probe:
        return int(probe.getsockname()[1])


def write_config(path: Path, port: int) -> None:
    """Write the settings of a broker that keeps nothing and asks nobody who he is."""
    path.write_text(CONFIG.format(port=port), encoding="utf-8")


def answers(port: int) -> bool:
    """Whether somebody listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True
