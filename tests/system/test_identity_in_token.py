"""A unit whose evidence key was made in a token and never leaves it; the library reads its settings once, so each run is a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.card import Card
from provisioning.identity import DRAFT, FOLDER, read
from tests import tokens
from tests.system.broker import MOSQUITTO
from tests.system.daemon_rig import ROOT
from tests.system.enrolled import Fleet
from tests.tokens import Tokens

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
# As far as the power lasted: a draft with its key in the token, no certificate yet.
BEGUN = """
import sys
from pathlib import Path
from provisioning.card import read_card
from provisioning.identity import Draft
Draft.begin(Path(sys.argv[1]), read_card(sys.argv[2]), evidence_key=sys.argv[3]).evidence_key()
"""


class Box:
    """A box with a token in it."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.tokens = Tokens(folder)
        self.tokens.make("roadproof")
        self._fleet = fleet

    def card(self) -> Card:
        return self._fleet.card()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SOFTHSM2_CONF": str(self.tokens.config), "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-P", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def enrol(self, card: Card) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "cli", "enrol", card.text, "--state", str(self.state), "--evidence-key", self.tokens.uri())


@pytest.fixture
def box(tmp_path: Path, fleet: Fleet) -> Box:
    tokens.needed()
    return Box(tmp_path, fleet)


def test_the_key_is_made_in_the_token_and_a_wipe_destroys_it(box: Box, fleet: Fleet) -> None:
    card = box.card()
    done = box.enrol(card)
    assert done.returncode == 0, done.stderr
    assert "token roadproof signs proofs" in done.stdout
    identity = box.state / FOLDER
    assert not (identity / "evidence.key").exists()
    assert f'key = "{box.tokens.uri()}"' in (identity / "settings.toml").read_text(encoding="utf-8")
    wiped = box.run("-m", "cli", "wipe", "--yes", "--offline", "--state", str(box.state), "--config", str(box.state / "none.toml"))
    assert wiped.returncode == 0, wiped.stderr
    assert box.enrol(box.card()).returncode == 0  # the name is free in the token again


def test_a_key_that_was_made_before_a_cut_is_gone_on_with(box: Box, fleet: Fleet) -> None:
    card = box.card()
    assert box.run("-c", BEGUN, str(box.state), card.text, box.tokens.uri()).returncode == 0
    assert (box.state / DRAFT).exists()
    assert box.enrol(card).returncode == 0
    assert fleet.issued(card.unit) == ["tls", "evidence"]


def test_a_key_that_was_made_for_another_card_is_destroyed(box: Box) -> None:
    assert box.run("-c", BEGUN, str(box.state), box.card().text, box.tokens.uri()).returncode == 0
    card = box.card()
    assert box.enrol(card).returncode == 0
    found = read(box.state / FOLDER)
    assert found is not None
    assert found.unit == card.unit


def test_a_key_of_an_older_day_in_the_token_is_told(box: Box) -> None:
    make = "import sys; from mqtt.evidence.keys import new_key; new_key(sys.argv[1])"
    assert box.run("-c", make, box.tokens.uri()).returncode == 0
    refused = box.enrol(box.card())
    assert refused.returncode == 1
    assert "already" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert read(box.state / FOLDER) is None


def test_a_path_is_no_place_for_a_key(box: Box) -> None:
    card = box.card()
    refused = box.run("-m", "cli", "enrol", card.text, "--state", str(box.state), "--evidence-key", "/etc/key")
    assert refused.returncode == 1
    assert "none of file, pkcs11:... and rpi-otp:1" in refused.stderr
