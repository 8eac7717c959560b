"""What a tunnel reads in the IPv4 packets that it carries, and the one packet that it writes itself: a TCP reset (RFC 9293)."""

from __future__ import annotations

import struct

IPV4, TCP = 4, 6
ACK, RST = 0x10, 0x04
IP_BYTES, TCP_BYTES = 20, 20


def is_ipv4(packet: bytes) -> bool:
    """Whether it is one that a tunnel carries; the kernel also sends greetings of IPv6."""
    return len(packet) >= IP_BYTES and packet[0] >> 4 == IPV4


def flow_of(packet: bytes) -> bytes | None:
    """Who says it to whom, addresses and ports, of an IPv4 packet; None when it is not TCP."""
    start = _header_bytes(packet)
    return packet[12:20] + packet[start : start + 4] if packet[9] == TCP and len(packet) >= start + TCP_BYTES else None


def answer_of(flow: bytes) -> bytes:
    """The same flow the other way round."""
    return flow[4:8] + flow[0:4] + flow[10:12] + flow[8:10]


def is_reset(packet: bytes) -> bool:
    """Whether a TCP packet is the end of its connection by force."""
    return bool(packet[_header_bytes(packet) + 13] & RST)


def reset(packet: bytes) -> bytes:
    """What a peer that knows nothing of the connection answers to a TCP packet: whoever sent it gives up at once."""
    start = _header_bytes(packet)
    seq, ack, _, flags = struct.unpack_from("!IIBB", packet, start + 4)
    flow = answer_of(packet[12:20] + packet[start : start + 4])
    told, heard, kind = (ack, 0, RST) if flags & ACK else (0, seq + 1, RST | ACK)
    segment = flow[8:12] + struct.pack("!IIBBHHH", told, heard & 0xFFFFFFFF, TCP_BYTES // 4 << 4, kind, 0, 0, 0)
    pseudo = flow[0:8] + struct.pack("!BBH", 0, TCP, TCP_BYTES)
    segment = segment[:16] + struct.pack("!H", _checksum(pseudo + segment)) + segment[18:]
    header = struct.pack("!BBHHHBBH", IPV4 << 4 | IP_BYTES // 4, 0, IP_BYTES + TCP_BYTES, 0, 0, 64, TCP, 0) + flow[0:8]
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + segment


def _header_bytes(packet: bytes) -> int:
    return (packet[0] & 0x0F) * 4


def _checksum(data: bytes) -> int:
    """RFC 1071; for an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~(total + (total >> 16)) & 0xFFFF)
