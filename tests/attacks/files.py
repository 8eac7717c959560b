"""Lies about attachments, neighbours and the files themselves."""

from __future__ import annotations

from msgspec import structs

from mqtt.evidence.bundle import Contents
from mqtt.evidence.chain import Head, first_head, seal_record
from tests.attacks.liar import Files, attack, edited, unzipped
from tests.signers import PHOTO, STROKES, Story, attachment, plain, record


def _photo(story: Story) -> str:
    return f"att/{story.said.att[0].sha256}.jpg"


@attack("was altered", "was altered")
def photo_altered(story: Story) -> Files:
    return edited(story, _photo(story), lambda data: data.replace(b"door", b"d0or"))


@attack("was altered", "was altered")
def photo_replaced_under_its_name(story: Story) -> Files:
    return edited(story, _photo(story), lambda _: STROKES)


@attack("is missing: the record answers for it", "is missing, or there twice")
def photo_replaced_under_a_name_of_its_own(story: Story) -> Files:
    files = unzipped(story.contents())
    del files[_photo(story)]
    other = attachment("photo", "image/jpeg", PHOTO + b"!")
    return {**files, f"att/{other.sha256}.jpg": PHOTO + b"!"}


@attack("is missing: the record answers for it", "is missing, or there twice")
def photo_removed(story: Story) -> Files:
    files = unzipped(story.contents())
    del files[_photo(story)]
    return files


@attack("was added: the record does not name it", "was added: the record does not name it")
def photo_added(story: Story) -> Files:
    other = attachment("photo", "image/jpeg", PHOTO + b"!")
    return {**unzipped(story.contents()), f"att/{other.sha256}.jpg": PHOTO + b"!"}


@attack("under two names", "is missing, or there twice")
def photo_there_under_two_endings(story: Story) -> Files:
    return {**unzipped(story.contents()), _photo(story).replace("jpg", "html"): b"<script>"}


@attack("was altered", "was altered")
def length_of_the_photo_false(story: Story) -> Contents:
    photo, strokes = story.said.att
    return story.live(story.again(att=(structs.replace(photo, len=1), strokes)))


@attack("does not follow", "is not the neighbour")
def neighbour_of_another_chain(story: Story) -> Contents:
    other = seal_record(record(1, note="another"), first_head(story.fleet.unit.certificate_der), story.fleet.unit)
    return story.contents(neighbours={1: plain(other)})


@attack("does not follow", "is not the neighbour")
def next_record_exchanged(story: Story) -> Contents:
    other = seal_record(record(3), Head(seq=2, link="00" * 32), story.fleet.unit)
    return story.contents(neighbours={3: plain(other)})


@attack("no neighbour of record 2", "is not the neighbour")
def neighbour_that_is_none(story: Story) -> Contents:
    return story.contents(neighbours={4: plain(seal_record(record(4), Head(seq=3, link=story.third.link), story.fleet.unit))})


@attack("holds another record", "holds another record")
def neighbour_under_another_number(story: Story) -> Contents:
    return story.contents(neighbours={1: plain(story.third)})


@attack("under another certificate", "the header in")
def neighbour_signed_by_another_unit(story: Story) -> Contents:
    return story.contents(neighbours={1: plain(seal_record(record(1), first_head(story.fleet.other.certificate_der), story.fleet.other))})


@attack("does not begin at the unit's certificate", "does not begin at the unit's certificate")
def first_record_that_begins_nowhere(story: Story) -> Contents:
    forged = story.again(head=Head(seq=0, link="00" * 32), t=structs.replace(story.said.t, after=None))
    return story.live(forged, after=None)


@attack("does not belong into a bundle", "does not belong into a bundle")
def stranger_among_the_files(story: Story) -> Files:
    return {**unzipped(story.contents()), "record.html": b"<h1>Delivered</h1>"}


@attack("does not belong into a bundle", "does not belong into a bundle")
def root_certificate_in_the_bundle(story: Story) -> Files:
    return {**unzipped(story.contents()), "root.pem": story.fleet.root}


@attack("receipt.json is missing", "receipt.json is missing")
def receipt_left_out(story: Story) -> Files:
    return {name: data for name, data in unzipped(story.contents()).items() if not name.startswith("receipt.")}
