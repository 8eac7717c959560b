"""A receiver set back to a backup that holds a proof and not its photo: a real unit on a real broker sends the photo again."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from fleet.config import EvidenceSettings, FleetSettings
from tests.eventually import eventually
from tests.proofs import Keys, keys_of_the_session
from tests.system.broker import Mosquitto
from tests.system.receivers import receiving
from tests.system.stores import SqlitePlace, opened
from tests.system.uplink_rig import UNIT, UplinkRig

PHOTO = random.Random(5).randbytes(20_000)
DAY_MS = 86_400_000


@pytest.fixture
def keys() -> Keys:
    return keys_of_the_session()


def settings(folder: Path, broker: Mosquitto, place: SqlitePlace, keys: Keys) -> FleetSettings:
    """A receiver that knows the unit's certificate and signs for its proofs."""
    units, made = folder / "units", keys.folder / "receiver"
    units.mkdir()
    shutil.copy(keys.folder / "unit/unit.pem", units / f"{UNIT}.pem")
    evidence = EvidenceSettings(
        root=str(keys.folder / "unit/root.pem"), units_folder=str(units), issuing=str(keys.folder / "unit/issuing.pem"),
        certificate=str(made / "receiver.pem"), key=str(made / "receiver.key"),
    )  # fmt: skip
    return FleetSettings(broker=broker.settings, store=place.url, name="one", evidence=evidence)


def holds(place: SqlitePlace, name: str) -> bool:
    with closing(opened(place, writing=False)) as store:
        return name in store.whole_attachments(UNIT)


def is_kept(unit: UplinkRig, name: str) -> bool:
    """Whether the photo is on the card, and the unit takes it for arrived."""
    return unit.journal.work("blob:").get(f"blob:{name}", b"").startswith(b"held:")


def test_a_photo_that_a_restored_backup_lost_comes_again_after_the_next_health(
    broker: Mosquitto, sqlite_place: SqlitePlace, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = settings(tmp_path, broker, sqlite_place, keys)
    (tmp_path / "unit").mkdir()
    with UplinkRig(tmp_path / "unit", broker.settings, keys=keys, keep_ms=DAY_MS) as unit:
        assert unit.post is not None
        with receiving(broker, told):
            with monkeypatch.context() as before:
                before.setattr(unit.post, "next", lambda _: None)  # the photo waits, as on a slow road
                (name,) = unit.deliver(PHOTO)
                eventually(unit.all_receipted)
                sqlite_place.back_up()
            eventually(lambda: is_kept(unit, name))
            assert holds(sqlite_place, name)
        sqlite_place.restore()
        assert not holds(sqlite_place, name)
        with receiving(broker, told):
            unit.uplink._health_s = -1e9  # due now
            eventually(lambda: holds(sqlite_place, name))
            eventually(lambda: is_kept(unit, name))
    assert unit.status.snapshot().blobs_waiting == 0
