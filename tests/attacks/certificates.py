"""Lies about who signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mqtt.evidence.bundle import Contents
from mqtt.evidence.certificates import DOCUMENT_SIGNING, role_uri
from mqtt.evidence.record import Recipient
from tests.attacks.liar import FOREIGN, attack, other_fleet
from tests.signers import BEGAN, CLIENT_AUTH, UNIT, Story, plain


@attack("under another certificate", "the header in record.jws")
def resigned_by_another_unit(story: Story) -> Contents:
    return story.live(story.again(story.fleet.other))


@attack("u-bbbbbb signed it", "u-bbbbbb signed it")
def resigned_by_another_unit_with_its_certificate(story: Story) -> Contents:
    return story.live(story.again(story.fleet.other), unit=story.fleet.other_pem)


@attack("another record or another signature", "another record or another signature")
def resigned_afterwards_with_the_unit_s_own_key(story: Story) -> Contents:
    forged = story.again(recipient=Recipient(name="Another", relation="recipient", signature_state="signed"))
    return story.contents(record=plain(forged), neighbours={1: plain(story.first)})


@attack("another record or another signature", "another record or another signature")
def same_record_signed_once_more(story: Story) -> Contents:
    return story.contents(record=plain(story.again()), neighbours={1: plain(story.first)})


def _leaf(story: Story, **odd: Any) -> Contents:
    signer, pem = story.fleet.issue(**odd)
    return story.live(story.again(signer), unit=pem)


@attack("not for signing documents", "is not for signing documents")
def signed_with_the_unit_s_tls_key(story: Story) -> Contents:
    return _leaf(story, eku=(CLIENT_AUTH,))


@attack("not for signing documents", "is not for signing documents")
def signed_with_a_key_for_everything(story: Story) -> Contents:
    return _leaf(story, eku=(DOCUMENT_SIGNING, CLIENT_AUTH))


@attack("does not say that its holder is a unit", "does not say that its holder is a unit")
def signed_with_the_own_key_in_another_role(story: Story) -> Contents:
    return _leaf(story, uris=(role_uri("receiver", UNIT),))


@attack("does not say that its holder is a unit", "does not say that its holder is a unit")
def certificate_with_two_roles(story: Story) -> Contents:
    return _leaf(story, uris=(role_uri("unit", UNIT), role_uri("receiver", UNIT)))


@attack("does not say that its holder is a unit", "does not say that its holder is a unit")
def certificate_whose_name_and_role_differ(story: Story) -> Contents:
    return _leaf(story, cn="u-cccccc")


@attack("not on the curve P-256", "not on the curve P-256")
def signed_with_a_key_on_another_curve(story: Story) -> Contents:
    return _leaf(story, curve=ec.SECP256K1())


@attack("is that of an authority", "is not for signing documents")
def signed_with_an_authority_s_key(story: Story) -> Contents:
    return _leaf(story, ca=True)


@attack("critical extension", FOREIGN)
def certificate_with_a_condition_nobody_understands(story: Story) -> Contents:
    return _leaf(story, critical=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00"))


@attack("another authority issued it", FOREIGN)
def certificate_issued_by_a_unit(story: Story) -> Contents:
    return story.contents(issuing=story.fleet.other_pem)


@attack("another authority issued it", FOREIGN)
def rogue_authority_of_the_same_name(story: Story, folder: Path) -> Contents:
    return other_fleet(story, folder).contents()


@attack("another authority issued it", FOREIGN)
def rogue_authority_for_the_unit_alone(story: Story, folder: Path) -> Contents:
    rogue = other_fleet(story, folder)
    return story.live(story.again(rogue.fleet.unit), unit=rogue.fleet.unit_pem)


@attack("one certificate in PEM form", "is not one certificate")
def second_certificate_in_the_file(story: Story) -> Contents:
    return story.contents(unit=story.fleet.unit_pem + story.fleet.other_pem)


def _dated(story: Story, began: datetime, days: int) -> Contents:
    return _leaf(story, began=began, days=days)


@attack("had run out by", FOREIGN)
def certificate_run_out_when_the_receiver_stored_it(story: Story) -> Contents:
    return _dated(story, BEGAN, 2)


@attack("was not valid yet", FOREIGN)
def certificate_that_began_after_the_receiver_stored_it(story: Story) -> Contents:
    return _dated(story, BEGAN + timedelta(days=30), 900)
