"""A day of the unit's storing half, one step after another, that says a line after each durable return.

python -m cli.faults.power.day FOLDER KEYS --seed N --steps N [--wait]

Everything is done by the product's own code in one thread, as the daemon does it; what is done is decided by the seed. With --wait it waits
for a line on stdin after each line it says.
"""

from __future__ import annotations

import argparse
import random
import sys
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from cli.faults.power.said import ToldAttachments, ToldJournal, Voice
from cli.faults.power.unit import BOOT, UNIT, Keys, Now, Unit, load_keys
from firmware.day.progress import Done, Draft, Parcel, Photo, StopWork
from firmware.day.proof import Attachment, Item, Proof, Recipient, Where
from firmware.day.work import Work, from_rows, rows
from firmware.evidence.book import BLOB, BY_EVENT, PIECES
from firmware.journal import Draft as RecordDraft
from firmware.journal import Series
from firmware.journal.numbers import BLOCK
from firmware.uplink import outbox
from mqtt.codec import TrackPoint
from mqtt.evidence.chain import Signed as SignedRecord
from mqtt.evidence.chain import link_of, read_record
from mqtt.evidence.receipt import sign_receipt
from mqtt.messages import BlobHeld, Held, Pod, Receipt, SignedReceipt, utc_text
from mqtt.ranges import Ranges

DAY = (sys.executable, "-P", "-m", "cli.faults.power.day")
COMMIT_FIXES = 10  # at 1 Hz, as journal.commit_s has it
STEP_S = 10.0
STOPS = 12
SELDOM, MOSTLY = 0.1, 0.7
PARCELS = 300
PHOTO_BYTES = (2_000, 40_000)  # smaller than real ones: more cuts fall between files than within one
# Things that come about every few hours come often in a short day: numbers reserved in their file, a batch of the track packed ahead.
RESERVED_HERE = {Series.SEQ: 25, Series.TSEQ: 150}
FIXES_A_BATCH = 50


class Day:
    """The unit's day, and at the other end a receiver that now and then says what it holds."""

    def __init__(self, folder: Path, keys: Keys, seed: int, voice: Voice) -> None:
        self._folder = folder
        self._keys = keys
        self._chance = random.Random(seed)  # noqa: S311  a day to repeat, no secret
        self._now = Now()
        self._voice = voice
        self._fixes = 0
        self._signed = list[Pod]()  # on the card, and nobody signed for them
        self._open()

    def step(self) -> None:
        """Ten seconds go by, and something happens in them."""
        self._now.at_s += STEP_S
        acts = (
            (30, self._drive), (10, self._note), (2, self._set_aside), (2, self._connect), (2, self._restart),
            (1, self._load), (14, self._photograph), (5, self._give_up), (12, self._hand_over), (4, self._report_defect),
            (7, self._plain_receipt), (7, self._signed_receipt),
        )  # fmt: skip
        act: Callable[[], None] = self._chance.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
        act()

    def close(self) -> None:
        """The evening."""
        self._unit.close()

    # --- the vehicle

    def _drive(self) -> None:
        points = [self._fix() for _ in range(COMMIT_FIXES)]
        drafts = [self._unit.diary.draft("trip.started")] if self._chance.random() < SELDOM else []
        self._unit.journal.append(BOOT, drafts, points, odometer=str(self._fixes))
        self._outbox.prepare()

    def _fix(self) -> TrackPoint:
        self._fixes += 1
        t_ms = round(self._now.at_s * 1000) + self._fixes * 1_000
        north, east = self._chance.randrange(90, 140), self._chance.randrange(100, 150)
        return TrackPoint(
            tseq=0,
            t_ms=t_ms,
            lat_e7=510_543_210 + self._fixes * north,
            lon_e7=37_250_000 + self._fixes * east,
            alt_m=8,
            speed_cms=1_388,
            sats=11,
        )

    def _note(self) -> None:
        self._unit.diary.note("ignition.on", {"filling": "x" * self._chance.randrange(200)})

    def _set_aside(self) -> None:
        waiting = self._unit.journal.waiting(Series.SEQ, Ranges(), 50)
        events = [row.number for row in waiting if row.kind == "event"]
        if events:
            self._unit.journal.set_aside(Series.SEQ, self._chance.choice(events), "it cannot be sent")

    def _connect(self) -> None:
        self._unit.journal.next_session(int(self._now.at_s))

    def _restart(self) -> None:
        self._unit.close()
        self._open()

    def _open(self) -> None:
        journal = partial(ToldJournal, voice=self._voice)
        self._unit = Unit(self._folder, self._keys, self._now, journal=journal, attachments=partial(ToldAttachments, voice=self._voice))
        self._unit.settle()
        self._outbox = outbox.Outbox(self._unit.journal, unit=UNIT, batch_s=60.0)
        self._rows = {name: row for name, row in self._unit.journal.work().items() if not name.startswith(PIECES)}
        self._work = from_rows(self._rows)

    # --- the driver: firmware/terminal/terminal.py does the same in the same order

    def _load(self) -> None:
        stop = self._chance.randrange(STOPS)
        parcels = {f"P-{n}": (Parcel(stop_id=f"s-{stop}", line_id="1", code=f"P-{n}"),) for n in range(PARCELS)}
        self._commit(msgspec.structs.replace(self._work, codes=parcels))

    def _photograph(self) -> None:
        """Take a photo of the stop, or take it again: then the one before goes."""
        stop_id, before = self._stop()
        photo = Photo(attachment=self._keep("photo", "image/jpeg"))
        self._put(stop_id, StopWork(attempts=before.attempts, draft=Draft(step="photo", photo=photo)))
        self._unit.attachments.remove(pictures_of(before))

    def _give_up(self) -> None:
        """Leave a stop without a proof."""
        stop_id, before = self._stop()
        if before.draft is not None:
            self._put(stop_id, StopWork(attempts=before.attempts + 1))
            self._unit.attachments.remove(pictures_of(before))

    def _hand_over(self) -> None:
        """Sign for the stop that has a photo longest, or for one without."""
        stop_id, before = next(((name, stop) for name, stop in self._work.stops.items() if pictures_of(stop)), self._stop())
        signature = self._keep("signature", "application/json")
        draft = before.draft or Draft(step="sign")
        self._put(stop_id, msgspec.structs.replace(before, draft=msgspec.structs.replace(draft, step="sign", signature=signature)))
        named = (*([draft.photo.attachment] if draft.photo else ()), signature)
        proof = self._proof(stop_id, named)
        done = Done(proof_id=proof.id, state="delivered", outcome=proof.outcome, at_ms=proof.at_ms)
        stops = self._work.stops | {stop_id: StopWork(attempts=before.attempts + 1, done=done)}
        self._commit(msgspec.structs.replace(self._work, stops=stops), proofs=[proof])

    def _report_defect(self) -> None:
        """An event that names a picture."""
        picture = self._keep("defect", "image/jpeg")
        draft = self._unit.diary.draft("check.defect", {"photo": msgspec.to_builtins(picture)})
        self._unit.journal.append(BOOT, [draft], work={BLOB + picture.enc_sha256: BY_EVENT})

    def _stop(self) -> tuple[str, StopWork]:
        stop_id = f"s-{self._chance.randrange(STOPS)}"
        return stop_id, self._work.stops.get(stop_id, StopWork())

    def _put(self, stop_id: str, stop: StopWork) -> None:
        self._commit(msgspec.structs.replace(self._work, stops=self._work.stops | {stop_id: stop}))

    def _commit(self, work: Work, *, proofs: Sequence[Proof] = ()) -> None:
        fresh = rows(work)
        changed: dict[str, bytes | None] = {name: row for name, row in fresh.items() if self._rows.get(name) != row}
        changed |= dict.fromkeys(name for name in self._rows if name not in fresh)
        entry = self._unit.book.write(proofs)
        made = list[bytes]()
        drafts = [RecordDraft(draft.kind, partial(_noted, draft, made)) for draft in entry.drafts]
        self._unit.journal.append(BOOT, drafts, work=changed | entry.work)
        self._unit.book.written(entry)
        self._signed += [msgspec.json.decode(payload, type=Pod) for payload in made]
        self._rows, self._work = fresh, work

    def _keep(self, kind: str, mime: str) -> Attachment:
        kept = self._unit.attachments.keep(self._chance.randbytes(self._chance.randrange(*PHOTO_BYTES)))
        return msgspec.convert({"kind": kind, "mime": mime, **msgspec.structs.asdict(kept)}, Attachment)

    def _proof(self, stop_id: str, pictures: tuple[Attachment, ...]) -> Proof:
        return Proof(
            id=str(uuid.UUID(int=self._chance.getrandbits(128), version=4)), stop_id=stop_id, job=None, service="delivery", run_n=1,
            outcome="delivered_to_recipient", reason=None, driver="d-1",
            at_ms=round(self._now.at_s * 1000), mono_ms=round(self._now.at_s * 1000),
            recipient=Recipient(name="A. Recipient", relation="recipient", signature_state="signed"),
            items=(Item(code="P-1", sym="code128", line_id="1", state="scanned", qty=1, qty_fact=1),), boot=BOOT, src="gnss", err_ms=50,
            position=Where(lat_deg=51.0543210, lon_deg=3.7250000, accuracy_m=3.4, sats=11), place_m=12, attachments=pictures,
        )  # fmt: skip

    # --- the receiver: firmware/uplink/uplink.py takes its word in the same order

    def _plain_receipt(self) -> None:
        """It holds records up to a number, mostly whole batches of the track; a proof needs its signature too."""
        for series in Series:
            upto = self._chance.randint(0, self._unit.journal.issued(series))
            if series is Series.TSEQ and self._chance.random() < MOSTLY:
                upto = self._unit.journal.packed_to() - self._chance.randrange(3) * FIXES_A_BATCH
            if upto > 0:
                self._unit.journal.acknowledge(series, Ranges([(1, upto)]))

    def _signed_receipt(self) -> None:
        """It signs for some proofs, and holds some attachments whole."""
        signed = [pod for pod in self._signed if self._chance.random() < MOSTLY]
        self._signed = [pod for pod in self._signed if pod not in signed]
        names = [name.removeprefix(BLOB) for name in self._unit.journal.work(BLOB)]
        whole = {
            name: BlobHeld(upto=self._unit.attachments.size(name) or 0, whole=True) for name in names if self._chance.random() < MOSTLY
        }
        held = Held(upto=0)
        receipt = Receipt(
            unit=UNIT,
            log=self._unit.journal.log,
            received=self._time(),
            seq=held,
            tseq=held,
            proofs=[self._receipt(pod) for pod in signed],
            blobs=whole,
        )
        self._unit.post.next(self._now.at_s)
        self._unit.post.take(receipt, self._now.at_s)

    def _receipt(self, pod: Pod) -> SignedReceipt:
        number = read_record(SignedRecord(rec=pod.rec, jws=pod.jws)).seq
        return sign_receipt(UNIT, number, link_of(pod.rec, pod.jws), self._time(), self._keys.receiver)

    def _time(self) -> str:
        return utc_text(round(self._now.at_s * 1000))


def pictures_of(stop: StopWork) -> list[str]:
    """The attachments that a proof in the making names."""
    draft = stop.draft or Draft(step="photo")
    found = [draft.photo.attachment if draft.photo else None, draft.signature]
    return [one.enc_sha256 for one in found if one]


def _noted(draft: RecordDraft, made: list[bytes], number: int) -> bytes:
    made.append(draft.make(number))
    return made[-1]


def main() -> None:
    """Live the day; a broken promise is for others to find."""
    parser = argparse.ArgumentParser(prog="python -m cli.faults.power.day", description="A day of the unit's storing half.")
    parser.add_argument("folder", type=Path, help="where the journal and the attachments are, or will be")
    parser.add_argument("keys", type=Path, help="what make_keys made")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--wait", action="store_true", help="after each line wait for one on stdin")
    arguments = parser.parse_args()
    BLOCK.update(RESERVED_HERE)
    outbox.FIXES_A_BATCH = FIXES_A_BATCH
    day = Day(arguments.folder, load_keys(arguments.keys), arguments.seed, Voice(waits=arguments.wait))
    for _ in range(arguments.steps):
        day.step()
    day.close()


if __name__ == "__main__":
    main()
