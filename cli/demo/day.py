"""The day that the demo's driver works: a stop at each door of the virtual van's round."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from drivers.sim.route import Route, position
from mqtt.messages import utc_text
from mqtt.run import Cod, Contact, Driver, Line, Notice, Place, Plan, Policy, Proofs, Secret, Stop, Window

PIN = "1234"
RECIPIENT_PIN = "2468"
SSCC_PREFIX = "0340123450"  # GS1's example company
WINDOW_MIN = 45
WINDOW_EVERY_MIN = 5  # as far apart as the doors of the round are, about
APART_M = 200.0  # out of the radius of the door before
SIGNED = Proofs(scan="required", photo="required", signature="required", name="required")


def plan(route: Route, now: datetime, doors_m: Sequence[float] | None = None) -> Plan:
    """The run of the demo: everything that a stop can ask for, once; at the route's doors, or at these, in metres along it."""
    calls = [
        Stop(
            stop_id="s1", job="o-4711", address="Kouterstraat 12", detail="2nd floor, bell Kowalska", contact=Contact(name="M. Kowalska"),
            note="dog in the yard", lines=_parcels(1, ("Coffee machine", 4_200), ("Beans, 1 kg", 1_050)), proofs=SIGNED, rating=True,
        ),
        Stop(
            stop_id="s2", job="o-4712", address="Visserij 40", contact=Contact(name="Lukas Maes"), contactless="safe_place",
            note="behind the blue gate", lines=_parcels(3, ("Running shoes", 900)),
            proofs=Proofs(scan="disabled", photo="required", signature="disabled", name="disabled"), leave_with=("safe_place",),
        ),
        Stop(
            stop_id="s3", job="o-4713", address="Dok-Noord 7", contact=Contact(name="نور الدين"), lines=_parcels(4, ("Lamp", 2_300)),
            cod=Cod(amount=2490, currency="EUR"), proofs=SIGNED,
        ),
        Stop(
            stop_id="s4", job="rma-881", service="return", address="Heernislaan 81", contact=Contact(name="Atelier Łucja"),
            lines=_parcels(5, ("Jacket, size M", 700), ("Jacket, size L", 750)),
        ),
        Stop(
            stop_id="s5", job="o-4714", address="Keizersvest 3", contact=Contact(name="Apotheek De Linde"),
            lines=_parcels(7, ("Medicines, keep cool", 1_200)), proofs=Proofs(scan="required", signature="required", pin="required"),
            pin=_secret(RECIPIENT_PIN),
        ),
    ]  # fmt: skip
    placed = [
        _placed(call, route, at_m, now, number) for number, (call, at_m) in enumerate(zip(calls, doors_m or route.doors_m, strict=True))
    ]
    return Plan(
        day=f"{now:%Y-%m-%d}",
        name="Ghent, the round of the demo",
        vehicle="Van 17",
        drivers=[Driver(driver_id="d1", name="Ada Janssens", pin=_secret(PIN))],
        stops=placed,
        proofs=Policy(returned=Proofs(scan="required", photo="required", signature="enabled", name="disabled")),
        messages=[Notice(message_id="m1", t=_text(now), text="The depot's gate closes at 18:00.")],
        phone="+32 9 555 01 00",
        cash_float=5_000,
    )


def doors_ahead(route: Route, here_m: float) -> list[float]:
    """As many doors as the route has, but one close after the other ahead of a van that is there: nobody wants to wait for a demo."""
    begins_m, ends_m = route.tunnel_m
    doors_m: list[float] = []
    while len(doors_m) < len(route.doors_m):
        here_m = (here_m + APART_M) % route.length_m
        if not begins_m - APART_M < here_m < ends_m + APART_M:
            doors_m.append(here_m)
    return doors_m


def _placed(stop: Stop, route: Route, at_m: float, now: datetime, number: int) -> Stop:
    door = route.place_at(at_m)
    lat_deg, lon_deg = position(door.east_m, door.north_m)
    begin = now + timedelta(minutes=WINDOW_EVERY_MIN * number)
    return Stop(
        **{name: getattr(stop, name) for name in stop.__struct_fields__ if name not in {"place", "window"}},
        place=Place(latitude=round(lat_deg, 6), longitude=round(lon_deg, 6), radius_m=60),
        window=Window(begin=_text(begin), end=_text(begin + timedelta(minutes=WINDOW_MIN))),
    )


def _parcels(first: int, *goods: tuple[str, int]) -> list[Line]:
    return [
        Line(line_id=str(number), name=name, weight_g=weight_g, codes=[sscc(first + number - 1)], shelf="ABC"[number % 3])
        for number, (name, weight_g) in enumerate(goods, start=1)
    ]


def sscc(serial: int) -> str:
    """A GS1-128 element string: AI 00 and an SSCC with its check digit."""
    digits = f"{SSCC_PREFIX}{serial:07d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return f"00{digits}{-total % 10}"


def _secret(pin: str) -> Secret:
    salt = os.urandom(16)
    return Secret(salt=salt.hex(), hash=hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32).hex())


def _text(at: datetime) -> str:
    return utc_text(round(at.astimezone(UTC).timestamp() * 1000))
