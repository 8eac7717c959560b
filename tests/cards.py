"""An enrolment card that no office made."""

from __future__ import annotations

from provisioning.card import Card

CODE, FINGERPRINT = "K7PQ2345ABCDEFGH", "5WJXABCDEFGHIJKLMNOPQRST27"
CARD = Card(host="est.example.org", port=8443, unit="van-017", code=CODE, fingerprint=FINGERPRINT)
TEXT = f"RP1:est.example.org:8443|van-017|{CODE}|{FINGERPRINT}"
