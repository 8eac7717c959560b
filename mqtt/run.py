"""The day's work as the fleet sends it: stops, what each proof needs, drivers, reasons, words from dispatch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)", description="an identifier of the fleet's own")
]
Text = Annotated[str, Meta(max_length=500, description="words for the driver")]
Code = Annotated[str, Meta(min_length=1, max_length=128, description="what a scanner reads from the parcel, or its GS1 element string")]
Utc = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$(?!\n)")]
Minor = Annotated[int, Meta(ge=0, le=10**12, description="money in the currency's smallest unit: cents")]
Need = Literal["required", "enabled", "warn", "disabled"]  # must; may; may, but skipping it is remarked; is not shown
Service = Literal["delivery", "pickup", "return"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every part of a run is: unknown keys of a newer contract are ignored."""


class Secret(Part, frozen=True, kw_only=True):
    """A PIN or a badge that can be checked without a network: scrypt (n=2**14, r=8, p=1, 32 bytes) over its UTF-8 text."""

    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class Driver(Part, frozen=True, kw_only=True):
    """Who may sign in."""

    driver_id: Name
    name: Text
    pin: Secret | None = None
    badge: Secret | None = None


class Proofs(Part, frozen=True, kw_only=True):
    """What a hand-over must show."""

    scan: Need = "enabled"
    photo: Need = "enabled"
    signature: Need = "enabled"
    name: Need = "enabled"
    pin: Need = "disabled"  # the recipient's, where the stop has one


class Policy(Part, frozen=True, kw_only=True):
    """The proofs of each service; a stop may say otherwise."""

    delivery: Proofs = Proofs()
    pickup: Proofs = Proofs()
    returned: Proofs = msgspec.field(default=Proofs(), name="return")

    def of(self, service: Service) -> Proofs:
        """The proofs of a service."""
        return self.returned if service == "return" else self.pickup if service == "pickup" else self.delivery


class Reason(Part, frozen=True, kw_only=True):
    """Why something was not handed over."""

    code: Name
    name: Text = ""  # empty: the page's own words for the code
    outcome: Annotated[str, Meta(pattern=r"^failed_[a-z_]+$(?!\n)")] = "failed_other"
    photo: Need = "enabled"
    then: Literal["retry", "return", "neighbour"] = "retry"


CODES_LIMIT = 1_000  # of a stop: what one signed record can name

REASONS = (
    Reason(code="not_home", outcome="failed_not_home", photo="required"),
    Reason(code="refused", outcome="failed_refused", then="return"),
    Reason(code="wrong_address", outcome="failed_cant_find_address", photo="required"),
    Reason(code="damaged", outcome="failed_damaged", photo="required", then="return"),
    Reason(code="missing", outcome="failed_package_not_available"),
    Reason(code="no_access", outcome="failed_access", photo="required"),
    Reason(code="closed", outcome="failed_closed", photo="required"),
    Reason(code="not_paid", outcome="failed_payment_not_received", then="return"),
    Reason(code="other", outcome="failed_other"),
)


class CheckItem(Part, frozen=True, kw_only=True):
    """One thing to look at before the vehicle leaves."""

    item_id: Name
    name: Text = ""  # empty: the page's own words for the id
    safety: bool = True  # a defect keeps the vehicle where it is


CHECKLIST = tuple(  # 49 CFR 396.11, the items of a driver's vehicle inspection report
    CheckItem(item_id=name, safety=name not in {"horn", "emergency", "coupling"})
    for name in (
        "brakes", "parking_brake", "steering", "lights", "tyres", "horn", "wipers", "mirrors", "wheels", "emergency", "coupling",
    )
)  # fmt: skip


class Place(Part, frozen=True, kw_only=True):
    """Where a stop is; arrival is inside the radius."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]
    radius_m: Annotated[int, Meta(ge=10, le=5_000)] = 100


class Window(Part, frozen=True, kw_only=True):
    """When the stop is expected."""

    begin: Utc
    end: Utc


class Contact(Part, frozen=True, kw_only=True):
    """Who waits there."""

    name: Text = ""
    phone: Annotated[str, Meta(max_length=40, pattern=r"^[0-9+() /.-]*$(?!\n)")] = ""


class Line(Part, frozen=True, kw_only=True):
    """One kind of goods; with `codes`, one code a parcel."""

    line_id: Name
    name: Text
    qty: Annotated[int, Meta(ge=1, le=100_000)] = 1
    unit: Text = "pcs"
    codes: Annotated[list[Code], Meta(max_length=1_000)] = []
    sku: Text = ""
    weight_g: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    shelf: Text = ""  # where it lies in the vehicle


class Cod(Part, frozen=True, kw_only=True):
    """Cash on delivery."""

    amount: Annotated[int, Meta(ge=1, le=10**12, description="in the currency's smallest unit")]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217")]
    digits: Annotated[int, Meta(ge=0, le=4, description="decimals of the currency")] = 2
    methods: tuple[Literal["cash", "card", "paid"], ...] = ("cash", "card", "paid")


class Stop(Part, frozen=True, kw_only=True):
    """One call at one door."""

    stop_id: Name
    service: Service = "delivery"
    job: Name | None = None  # the order that it belongs to
    address: Annotated[str, Meta(min_length=1, max_length=200)]
    detail: Text = ""  # floor, bell
    place: Place | None = None
    window: Window | None = None
    contact: Contact = Contact()
    note: Text = ""
    lines: Annotated[list[Line], Meta(max_length=500)] = []
    cod: Cod | None = None
    proofs: Proofs | None = None
    pin: Secret | None = None  # what the recipient was sent
    leave_with: tuple[Literal["neighbour", "family", "reception", "mailbox", "safe_place", "pickup_point"], ...] = (
        "family",
        "neighbour",
        "reception",
    )
    contactless: Literal["mailbox", "safe_place", "pickup_point"] | None = None  # agreed beforehand: nobody signs
    rating: bool = False  # ask the recipient for one tap


class Notice(Part, frozen=True, kw_only=True):
    """A message from dispatch."""

    message_id: Name
    t: Utc
    text: Text
    urgent: bool = False


class Plan(Part, frozen=True, kw_only=True):
    """Everything of the day but its envelope."""

    day: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
    name: Text = ""
    vehicle: Text = ""
    drivers: Annotated[list[Driver], Meta(min_length=1, max_length=200)]
    stops: Annotated[list[Stop], Meta(max_length=500)]
    proofs: Policy = Policy()
    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=40)] = REASONS
    checklist: tuple[CheckItem, ...] = CHECKLIST
    replies: Annotated[list[Text], Meta(max_length=8)] = []  # empty: the page's own
    messages: Annotated[list[Notice], Meta(max_length=100)] = []
    phone: Annotated[str, Meta(max_length=40)] = ""  # dispatch's
    cash_float: Minor = 0
    cleared: list[Name] = []  # defects that dispatch allows the vehicle to drive with


def faults(plan: Plan) -> Iterator[str]:
    """What is wrong with a plan that its types cannot say, one sentence each."""
    yield from _twice("stop_id", (stop.stop_id for stop in plan.stops))
    yield from _twice("driver_id", (driver.driver_id for driver in plan.drivers))
    yield from _twice("message_id", (notice.message_id for notice in plan.messages))
    yield from _twice("barcode", (code for stop in plan.stops for line in stop.lines for code in line.codes))
    for stop in plan.stops:
        yield from (f"stop {stop.stop_id}: {fault}" for fault in _twice("line_id", (line.line_id for line in stop.lines)))
        yield from (
            f"stop {stop.stop_id}, line {line.line_id}: {len(line.codes)} codes for a quantity of {line.qty}"
            for line in stop.lines
            if len(line.codes) > line.qty
        )
        if (count := sum(len(line.codes) for line in stop.lines)) > CODES_LIMIT:
            yield f"stop {stop.stop_id}: {count} codes; split it into stops of {CODES_LIMIT} at most"
        if stop.window and stop.window.begin >= stop.window.end:
            yield f"stop {stop.stop_id}: its window ends before it begins"
        if (stop.proofs or plan.proofs.of(stop.service)).pin == "required" and stop.pin is None:
            yield f"stop {stop.stop_id}: a PIN is required and none is given"
    if not any(driver.pin or driver.badge for driver in plan.drivers):
        yield "no driver has a PIN or a badge: nobody could sign in"


def _twice(what: str, names: Iterator[str]) -> Iterator[str]:
    yield from (f"{what} {name!r} is there {count} times" for name, count in Counter(names).items() if count > 1)
