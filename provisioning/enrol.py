"""From a card to an identity: keys made here, certificates for them from the authority that the card's fingerprint vouches for.

Every step may be the last before the power fails. The same card then goes on with the same keys, and every request may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import check_leaf
from mqtt.evidence.sealing import Seal
from mqtt.messages import utc_text
from provisioning.card import Card
from provisioning.est.client import Anchors, Est, EstError
from provisioning.est.settings import UnitSettings
from provisioning.est.wire import WireError, csr_by
from provisioning.identity import (
    EVIDENCE,
    FOLDER,
    IN_A_FILE,
    ISSUING,
    RECEIVERS,
    ROOT,
    SEAL,
    TLS,
    Draft,
    Identity,
    IdentityError,
    fit,
    read,
)

Tell = Callable[[str], None]
Step = Literal["answers", "keys", "signed", "settings"]
Reach = Callable[[Step], None]  # gets each step once it is done
FAULTS = (EstError, IdentityError, EvidenceError, WireError)  # each with a sentence
SPENT = {"code_used", "code_expired", "code_unknown", "other_unit", "revoked"}  # of EstError: this card will never work here


class Enrolment:
    """One card, one box. `tell` gets a line a step; `take_s` is how long it took."""

    def __init__(
        self,
        card: Card,
        *,
        state: Path,
        tell: Tell,
        est: Est | None = None,
        settings: UnitSettings | None = None,
        evidence_key: str = IN_A_FILE,
        burn: bool = False,
    ) -> None:
        self._card = card
        self._state = state
        self._tell = tell
        self._est = est or Est(card.host, card.port)
        self._settings = settings
        self._evidence_key = evidence_key
        self._burn = burn
        self.take_s = 0.0

    def run(self, reach: Reach = lambda _: None) -> Identity:
        """The identity, in its place; one of FAULTS says what stands in the way, and the box is as it was."""
        began_s = time.monotonic()
        there = read(self._state / FOLDER)
        if there is not None:
            if fit(there, self._card):
                return there
            raise IdentityError(f"this box is enrolled already, as {there.unit}: remove that with `roadproof wipe` first")
        identity = self._made(reach)
        self.take_s = time.monotonic() - began_s
        return identity

    def _made(self, reach: Reach) -> Identity:
        anchors = self._est.pin(self._est.fetch_cacerts(), self._card.fingerprint)
        self._tell(f"{self._est.place} answers, and is the fleet that the card names")
        reach("answers")
        draft = Draft.begin(self._state, self._card, evidence_key=self._evidence_key)
        try:
            return self._filled(draft, anchors, reach)
        except EstError as error:
            if error.kind in SPENT:
                draft.remove()  # no keys stay for which no certificate will come
            raise

    def _filled(self, draft: Draft, anchors: Anchors, reach: Reach) -> Identity:
        card = self._card
        tls, evidence = draft.tls_key(), draft.evidence_key(burn=self._burn)
        self._tell(f"two keys made: one logs in, one in {evidence.describe()} signs proofs; neither leaves this unit")
        reach("keys")
        draft.add_certificates(self._est.enrol("tls", csr_by(tls, card.unit), card.unit, card.code), anchors.issuing_pem)
        signing = self._est.enrol("evidence", csr_by(evidence, card.unit), card.unit, card.code)
        check_leaf(leaf=signing, issuing=anchors.issuing_pem, root=anchors.root_pem, role="unit", at=_now())
        self._tell("the authority signed both")
        reach("signed")
        settings = self._settings or self._est.unit_settings(draft.folder / TLS)
        check_settings(settings, anchors, card.unit)
        files = {EVIDENCE: signing, ISSUING: anchors.issuing_pem, ROOT: anchors.root_pem}
        for name, content in {**files, RECEIVERS: receivers_of(settings), SEAL: settings.seal_to.encode()}.items():
            draft.write(name, content)
        place = settings.broker
        self._tell(f"its broker is {place.host}:{place.port}, its vehicle {settings.vehicle}")
        reach("settings")
        return draft.settle(settings, enrolled_at=_now())


def check_settings(settings: UnitSettings, anchors: Anchors, unit: str, at: str | None = None) -> None:
    """IdentityError unless the daemon will take what the fleet says of itself, now or `at` another time (UTC)."""
    if settings.unit != unit:
        raise IdentityError(f"the settings are those of {settings.unit}, and the card is for {unit}: use the pair that belongs together")
    try:
        for receiver in settings.receivers:
            check_leaf(leaf=receiver.encode(), issuing=anchors.issuing_pem, root=anchors.root_pem, role="receiver", at=at or _now())
        Seal(settings.seal_to.encode())
    except EvidenceError as error:
        raise IdentityError(f"the fleet's settings for this unit cannot be used: {error}; the office must mend them") from None


def receivers_of(settings: UnitSettings) -> bytes:
    """receiver.pem: every receiver's certificate."""
    return b"".join(pem.strip().encode() + b"\n" for pem in settings.receivers)


def _now() -> str:
    return utc_text(round(datetime.now(UTC).timestamp() * 1000))
