"""Proofs and their attachments through a real broker into a receiver that is killed at bad moments."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from fleet.config import FleetSettings
from mqtt import settings as files
from mqtt.evidence.receipt import check_receipt
from tests.eventually import eventually
from tests.system.broker import Mosquitto
from tests.system.notaries import Pen, World
from tests.system.receivers import receiving, subscriptions
from tests.system.stores import Place, SqlitePlace, opened
from tests.system.van import HandVan

ROOT = Path(__file__).resolve().parents[2]
DYING = """
import os, signal, sys, threading, time
from pathlib import Path
from fleet.config import FleetSettings
from fleet.receiver import receive
from fleet.store import Store
from mqtt import settings
from mqtt.link import BrokerLink
owner = {"Store": Store, "BrokerLink": BrokerLink}[sys.argv[2]]
whole, calls = getattr(owner, sys.argv[3]), []
def die(*words, **named):
    calls.append(1)
    if len(calls) < 3:
        return whole(*words, **named)
    time.sleep(0.2)  # whatever was said too early has left by then
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, sys.argv[3], die)
receive(settings.load(Path(sys.argv[1]), FleetSettings), threading.Event())
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def pen(world: World) -> Pen:
    return world.pen()


@pytest.fixture
def van(broker: Mosquitto) -> Iterator[HandVan]:
    made = HandVan(broker.settings)
    yield made
    made.close()


def running(broker: Mosquitto, config: Path) -> AbstractContextManager[None]:
    return receiving(broker, files.load(config, FleetSettings))


def test_a_unit_is_told_of_its_proof_by_a_signed_receipt_and_of_its_photo_by_its_bytes(
    broker: Mosquitto, place: Place, world: World, pen: Pen, van: HandVan
) -> None:
    photo = pen.photo()
    payload = pen.pod(1, pen.record("s1", photo))
    with running(broker, world.config(place.url, broker.port)):
        van.send_birth()
        van.send("up/pod", payload)
        receipt = van.receipt_where(lambda receipt: bool(receipt.proofs))
        assert (receipt.seq.upto, receipt.blobs[photo.sha].upto) == (1, 0)
        for name, piece in photo.pieces:
            van.send(name, piece)
        receipt = van.receipt_where(lambda receipt: photo.sha in receipt.blobs and receipt.blobs[photo.sha].whole)
        assert receipt.blobs[photo.sha].upto == len(photo.sealed)
        van.receipts.clear()
        van.send("up/pod", payload)
        again = van.receipt_where(lambda receipt: bool(receipt.proofs))
        assert again.blobs[photo.sha].whole
    desk = world.folder / "desk"
    told = check_receipt(
        again.proofs[0],
        receiver=(desk / "receiver.pem").read_bytes(),
        issuing=(desk / "issuing.pem").read_bytes(),
        root=world.root.read_bytes(),
    )
    assert (told.seq, told.link) == (1, pen.head.link)


def test_a_forged_proof_is_numbered_and_never_signed_for(
    broker: Mosquitto, sqlite_place: SqlitePlace, world: World, pen: Pen, van: HandVan
) -> None:
    with running(broker, world.config(sqlite_place.url, broker.port)):
        van.send("up/pod", pen.pod(1, pen.record()).replace(b"Ana Soto", b"Eve Soto"))
        van.send("up/pod", pen.pod(2, pen.record()))
        van.receipt_for(seq=2)
    told = [proof.rc for receipt in van.receipts for proof in receipt.proofs]
    assert [rc.count('"seq":2') for rc in told] == [1]
    store = opened(sqlite_place, writing=False)
    forged, good = store.proofs()
    store.close()
    assert (bool(forged.fault), forged.rc, good.fault) == (True, None, None)


def test_more_proofs_than_one_message_holds_are_all_signed_for(
    broker: Mosquitto, sqlite_place: SqlitePlace, world: World, pen: Pen, van: HandVan
) -> None:
    config = world.config(sqlite_place.url, broker.port)
    with running(broker, config):
        pass  # the subscription stands; what comes now is handed over in one piece
    for number in range(1, 121):
        van.send("up/pod", pen.pod(number, pen.record()))
    with running(broker, config):
        eventually(lambda: van.receipt_for(seq=120) and len({proof.rc for receipt in van.receipts for proof in receipt.proofs}) == 120)


@pytest.mark.parametrize("moment", ["Store.keep", "BrokerLink.acknowledge", "BrokerLink.publish"])
def test_a_receiver_killed_in_the_middle_of_a_photo_loses_nothing_of_it(
    broker: Mosquitto, place: Place, world: World, van: HandVan, moment: str
) -> None:
    pen = world.pen()
    photo = pen.photo()
    config = world.config(place.url, broker.port)
    before = subscriptions(broker)
    dying = subprocess.Popen([sys.executable, "-P", "-c", DYING, str(config), *moment.split(".")], cwd=ROOT)
    eventually(lambda: subscriptions(broker) > before)
    van.send("up/pod", pen.pod(1, pen.record("s1", photo)))
    van.receipt_where(lambda receipt: photo.sha in receipt.blobs)
    assert len(photo.pieces) > 3
    for name, piece in photo.pieces:
        upto = int(name.rpartition("/")[2]) + len(piece)
        van.send(name, piece)
        eventually(lambda upto=upto: dying.poll() is not None or _held(van, photo.sha) >= upto)  # type: ignore[misc]  # mypy reads no default here
        if dying.poll() is not None:
            break
    assert dying.wait(30) == -signal.SIGKILL
    with running(broker, config):
        for name, piece in photo.pieces:
            van.send(name, piece)
        van.receipt_where(lambda receipt: photo.sha in receipt.blobs and receipt.blobs[photo.sha].whole)
    store = opened(place, writing=False)
    assert store.sealed_attachment("van-12", photo.sha) == photo.sealed
    assert len(store.proofs()) == 1
    store.close()


def _held(van: HandVan, sha: str) -> int:
    """How much of an attachment the unit was told to be held."""
    return max(receipt.blobs[sha].upto for receipt in van._read() if sha in receipt.blobs)


def test_a_receiver_whose_key_is_no_receivers_ends_with_one_sentence(
    broker: Mosquitto, sqlite_place: SqlitePlace, world: World, pen: Pen
) -> None:
    desk, unit = world.folder / "desk", world.folder / "of-van-12"
    for target, source in (("receiver.pem", "unit.pem"), ("receiver.key", "unit.key")):
        (desk / target).write_bytes((unit / source).read_bytes())
    command = [sys.executable, "-P", "-m", "cli", "fleet", "receive", "--config", str(world.config(sqlite_place.url, broker.port))]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "does not say that its holder is a receiver" in ended.stderr
