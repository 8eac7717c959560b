"""The topics of the contract as one table: from it come the access rules, the documentation and the queue's classes."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from mqtt import messages

ROOT = "rp/v1"
UNIT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
RECEIVER_GROUP = "roadproof"  # receivers that share the load name the same group


class Keep(StrEnum):
    """What the unit may do with a waiting record when its store runs full."""

    NEVER = "never"  # is never dropped
    KEEP = "keep"  # kept 30 days, then dropped oldest first, counted
    THIN = "thin"  # every second one goes first, counted
    REPLACE = "replace"  # only the newest matters
    DROP = "drop"  # may be lost
    NONE = "none"  # comes from the other side


class By(StrEnum):
    """Who publishes."""

    UNIT = "unit"
    RECEIVER = "receiver"
    OPERATOR = "operator"


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str  # the part behind the unit: "up/track"
    by: By
    qos: int
    retained: bool = False
    expiry_s: int | None = None  # MQTT 5 message expiry
    keep: Keep = Keep.NONE
    message: type[messages.Message] | None = None  # None: reserved, its payload comes with a later minor version
    content_type: str | None = None
    note: str

    @property
    def kind(self) -> str:
        """The word behind up/ or dn/: "track"."""
        return self.name.split("/")[1]

    def topic(self, unit: str) -> str:
        """The topic of one unit; ValueError when its name could not be one."""
        if not UNIT.fullmatch(unit):
            raise ValueError(f"{unit!r} is no unit name: small letters, digits and hyphens, 32 at most")
        return f"{ROOT}/{unit}/{self.name}"


# A piece of an attachment, the last one shorter. On a line of 64 kbit/s it takes a second: so long at most waits an event behind it, and
# so much at most is sent twice where a link is cut.
BLOB_CHUNK_BYTES = 8_192
TRACK_CONTENT = "application/json+columns; deflate"

STATE = Channel(
    name="up/state", by=By.UNIT, qos=1, retained=True, keep=Keep.NEVER, message=messages.State,
    note="birth, orderly sleep and last will; a lower session than the known one is ignored",
)  # fmt: skip
LIVE = Channel(
    name="up/live", by=By.UNIT, qos=0, expiry_s=60, keep=Keep.REPLACE, message=messages.Live,
    note="newest fix: every 60 s moving, every 5 min parked; every 1-5 s while watched; never behind a backlog",
)  # fmt: skip
TRACK = Channel(
    name="up/track", by=By.UNIT, qos=1, keep=Keep.THIN, message=messages.Track, content_type=TRACK_CONTENT,
    note="batch of fixes, oldest first: columns of integer deltas, deflated",
)  # fmt: skip
LAST = Channel(
    name="up/last", by=By.UNIT, qos=1, retained=True, expiry_s=86_400, keep=Keep.REPLACE, message=messages.Last,
    note="newest fix, at most one in 15 min and one at an orderly end; off by a privacy setting",
)  # fmt: skip
EVENT = Channel(
    name="up/event", by=By.UNIT, qos=1, keep=Keep.KEEP, message=messages.Event,
    note="ignition, trip, scan, stop, exception, tamper, fault",
)  # fmt: skip
POD = Channel(
    name="up/pod", by=By.UNIT, qos=1, keep=Keep.NEVER, message=messages.Pod, note="signed evidence record",
)  # fmt: skip
BLOB = Channel(
    name="up/blob/{sha}/{offset}", by=By.UNIT, qos=1, keep=Keep.NEVER,
    note=f"raw chunk of an attachment, {BLOB_CHUNK_BYTES // 1024} KiB, one in flight",
)  # fmt: skip
HEALTH = Channel(
    name="up/health", by=By.UNIT, qos=1, expiry_s=3_600, keep=Keep.DROP, message=messages.Health,
    note="queue, disk, temperature, link, counters",
)  # fmt: skip
REPORTED = Channel(
    name="up/reported", by=By.UNIT, qos=1, retained=True, keep=Keep.REPLACE, note="configuration in force; n answers the version of desired"
)
REPLY = Channel(name="up/reply", by=By.UNIT, qos=1, expiry_s=86_400, keep=Keep.KEEP, note="answer to a command, correlation data copied")
RECEIPT = Channel(
    name="dn/receipt", by=By.RECEIVER, qos=1, message=messages.Receipt,
    note="what the receiver holds durably; the only thing that lets the unit delete",
)  # fmt: skip
DESIRED = Channel(name="dn/desired", by=By.OPERATOR, qos=1, retained=True, note="signed configuration, whole document, n only grows")
CMD = Channel(name="dn/cmd", by=By.OPERATOR, qos=1, expiry_s=300, note="signed command, response topic up/reply")
WATCH = Channel(
    name="dn/watch", by=By.OPERATOR, qos=0, expiry_s=60, message=messages.Watch,
    note="somebody looks at the map: raise the live lane for at most 10 minutes; unsigned, harmless",
)  # fmt: skip
RUN = Channel(
    name="dn/run", by=By.OPERATOR, qos=1, retained=True, expiry_s=172_800, message=messages.Run,
    note="the day's stops, whole snapshot; n only grows",
)  # fmt: skip

CHANNELS = (STATE, LIVE, TRACK, LAST, EVENT, POD, BLOB, HEALTH, REPORTED, REPLY, RECEIPT, DESIRED, CMD, WATCH, RUN)
BY_NAME = {channel.name: channel for channel in CHANNELS}


class Address(msgspec.Struct, frozen=True):
    """A topic taken apart."""

    unit: str
    name: str  # "up/event"; a name that the table does not know is a newer unit's

    @property
    def channel(self) -> Channel | None:
        """The row of the table, None when this side does not know it."""
        return BLOB if re.fullmatch(r"up/blob/[^/]+/[^/]+", self.name) else BY_NAME.get(self.name)


def parse(topic: str) -> Address | None:
    """Take a topic apart; None when it is none of ours."""
    found = re.fullmatch(rf"{ROOT}/({UNIT.pattern})/((?:up|dn)/[a-z0-9_/]+)", topic)
    return Address(*found.groups()) if found else None


def receiver_filter(group: str = RECEIVER_GROUP) -> str:
    """The shared subscription with which receivers divide the fleet's messages among themselves; who knows the group is dealt a share."""
    return f"$share/{group}/{ROOT}/+/up/#"


def blob_topic(unit: str, sha: str, offset: int) -> str:
    """Where one piece of an attachment goes; `sha` is of the attachment as it is sent."""
    return f"{ROOT}/{unit}/up/blob/{sha}/{offset}"


def unit_filters(unit: str) -> list[str]:
    """What a unit listens to: what this version of it understands."""
    return [RECEIPT.topic(unit), WATCH.topic(unit), RUN.topic(unit)]
