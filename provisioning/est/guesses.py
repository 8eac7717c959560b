"""How many wrong codes one address may try: so few that the log stays readable. The codes' 80 bits are what keeps guessing out. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

WINDOW_S = 60.0
ALLOWED = 10  # a technician who mistypes, and a second one behind the same router
ADDRESSES = 4096  # the oldest is forgotten: what is remembered of strangers has a bound
HOUSEHOLD_BITS = 64  # who has one IPv6 address has all of its /64


class Guesses:
    """Wrong codes by address, for a minute."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def enough(self, address: str, mono_s: float) -> bool:
        """Whether an address has tried so often that it must wait."""
        times = self._wrong.get(household(address))
        return times is not None and len(times) == ALLOWED and mono_s - times[0] < WINDOW_S

    def wrong(self, address: str, mono_s: float) -> None:
        """One more wrong code of an address."""
        home = household(address)
        self._wrong.setdefault(home, deque(maxlen=ALLOWED)).append(mono_s)
        self._wrong.move_to_end(home)
        while len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)


def household(address: str) -> str:
    """Who is behind an address: itself, and of IPv6 its /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:  # mapped: IPv4 as a socket for both sees it
        return str(int(parsed) >> (128 - HOUSEHOLD_BITS))
    return address
