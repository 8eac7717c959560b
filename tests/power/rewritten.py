"""Every message that a version published, read and written anew on the processor that runs this: a line each."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from mqtt import codec, messages, topics
from tests.contract import golden_messages


def lines() -> Iterator[str]:
    """A track is packed and unpacked: how zlib packs it is zlib's affair, what is in it is not."""
    for golden in golden_messages.every():
        if golden.channel is topics.TRACK:
            yield msgspec.json.encode(codec.unpack(codec.pack(codec.unpack(golden.payload)))).decode()
        elif golden.channel.message is not None:
            yield messages.encode(messages.decode(golden.payload, golden.channel.message)).decode()


if __name__ == "__main__":
    print(*lines(), sep="\n")
