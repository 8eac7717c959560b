"""The golden messages: one file a message, as every released version published them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mqtt import topics

FOLDER = Path(__file__).parent / "golden"


class Golden(msgspec.Struct, frozen=True):
    """One message."""

    name: str  # "1.0/event-ignition"
    text: bytes  # its JSON, as encoded
    payload: bytes  # as it is published: the same, or deflated
    channel: topics.Channel

    @property
    def topic(self) -> str:
        """Where it is published."""
        unit: str = msgspec.json.decode(self.text)["unit"]
        return self.channel.topic(unit)


def every() -> list[Golden]:
    """All of them, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.json"))]


def _read(path: Path) -> Golden:
    text = path.read_bytes().removesuffix(b"\n")
    kind = path.stem.split("-")[0]
    channel = next(channel for channel in topics.CHANNELS if channel.kind == kind)
    packed = path.with_suffix(".bin")
    payload = packed.read_bytes() if packed.exists() else text
    return Golden(f"{path.parent.name}/{path.stem}", text, payload, channel)
