"""Lies about when, and about who had it."""

from __future__ import annotations

from msgspec import structs

from mqtt.evidence.bundle import Contents
from mqtt.evidence.jws import POD
from mqtt.evidence.receipt import link_of_receipt
from mqtt.messages import SignedReceipt
from tests.attacks.liar import ALTERED, Files, attack, edited, signed_raw
from tests.signers import Story, receipt, wall


@attack("does not say that its holder is a receiver", "does not say that its holder is a receiver")
def unit_signs_its_own_receipt(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.second, wall(2, 20), signer=story.fleet.unit), receiver=story.fleet.unit_pem)


@attack("under another certificate", "the header in receipt.jws")
def unit_signs_its_own_receipt_beside_the_receiver_s_certificate(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.second, wall(2, 20), signer=story.fleet.unit))


@attack("signed as 'rp-pod+jws'", "the header in receipt.jws")
def receipt_signed_as_a_record(story: Story) -> Contents:
    forged = signed_raw(story.receipt.rc.encode(), POD, story.fleet.receiver)
    return story.contents(receipt=SignedReceipt(rc=forged.rec, jws=forged.jws))


@attack("another record or another signature", "another record or another signature")
def receipt_of_another_record(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.third, wall(3)), neighbours={})


@attack("another record or another signature", "another record or another signature")
def receipt_of_another_number(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.second, wall(2, 20), seq=7))


@attack("another record or another signature", "another record or another signature")
def receipt_of_another_unit(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.second, wall(2, 20), unit="u-bbbbbb"))


@attack(ALTERED, ALTERED)
def receipt_s_time_changed(story: Story) -> Files:
    return edited(story, "receipt.json", lambda data: data.replace(b"08:02:20", b"08:02:10"))


@attack("backdated", "backdated")
def receipt_backdated_before_what_the_record_names(story: Story) -> Contents:
    return story.contents(receipt=receipt(story.fleet, story.second, wall(1, 10)))


@attack("after the receiver had stored it", "after the receiver had stored it")
def receipt_long_before_the_record_was_made(story: Story) -> Contents:
    t = structs.replace(story.said.t, wall="2026-05-04T09:30:00.000Z")
    return story.live(story.again(t=t))


@attack("backdated", "but names a receipt made at")
def record_backdated_before_the_receipt_it_names(story: Story) -> Contents:
    t = structs.replace(story.said.t, wall="2026-05-04T06:30:00.000Z")
    return story.live(story.again(t=t))


@attack("not the one that the record names", "not the receipt that the record names")
def earlier_receipt_exchanged(story: Story) -> Contents:
    return story.contents(after=receipt(story.fleet, story.first, wall(1, 20)))


@attack("that the record does not name", "not the receipt that the record names")
def earlier_receipt_added(story: Story) -> Contents:
    return story.live(story.again(t=structs.replace(story.said.t, after=None)))


@attack("under another certificate", "the header in after.jws")
def earlier_receipt_signed_by_the_unit(story: Story) -> Contents:
    own = receipt(story.fleet, story.first, wall(1, 20), signer=story.fleet.unit)
    return story.live(story.again(t=structs.replace(story.said.t, after=link_of_receipt(own))), after=own)


@attack("not of an earlier record", "not for an earlier record")
def earlier_receipt_of_a_later_record(story: Story) -> Contents:
    later = receipt(story.fleet, story.third, wall(1, 20))
    return story.live(story.again(t=structs.replace(story.said.t, after=link_of_receipt(later))), after=later)
