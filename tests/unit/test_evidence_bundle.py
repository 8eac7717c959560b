"""The bundle as a file: the same bytes each time, and no zip that two programs could read differently."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from mqtt.evidence import EvidenceError, bundle
from mqtt.evidence.verdict import verify_bundle
from tests.attacks import Files, unzipped, zipped
from tests.signers import PHOTO, Fleet, Story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return Story(Fleet(tmp_path_factory.mktemp("fleet")))


@pytest.fixture(scope="module")
def files(story: Story) -> Files:
    return unzipped(story.contents())


def refused(data: bytes) -> str:
    with pytest.raises(EvidenceError) as error:
        bundle.unpack(data)
    return str(error.value)


def one_more(story: Story, info: zipfile.ZipInfo, data: bytes = b"x") -> bytes:
    """The good bundle with an entry put in."""
    held = io.BytesIO(bundle.pack(story.contents()))
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr(info, data)
    return held.getvalue()


def test_what_was_packed_is_unpacked(story: Story, tmp_path: Path) -> None:
    bundle.write(tmp_path / "pod.zip", story.contents())
    assert bundle.unpack((tmp_path / "pod.zip").read_bytes()) == story.contents()
    assert bundle.pack(story.contents()) == (tmp_path / "pod.zip").read_bytes()


def test_a_bundle_has_the_files_that_its_page_promises(story: Story, files: Files) -> None:
    photo, strokes = story.said.att
    assert set(files) == {
        "record.json", "record.jws", "receipt.json", "receipt.jws", "after.json", "after.jws", "unit.pem", "issuing.pem", "receiver.pem",
        f"att/{photo.sha256}.jpg", f"att/{strokes.sha256}.json", "chain/1.json", "chain/3.json", "verify-openssl.sh", "README.txt",
    }  # fmt: skip
    assert files[f"att/{photo.sha256}.jpg"] == PHOTO
    assert files["record.json"].decode() == story.second.rec


def test_a_bundle_packed_anew_by_another_program_is_read(story: Story, files: Files) -> None:
    held = io.BytesIO()

    class Pipe(io.RawIOBase):  # cannot seek: sizes follow their entries, as when zip writes to a pipe
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            return held.write(data)

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in bundle.FOLDERS:
            archive.mkdir(folder)
        for name, data in files.items():
            archive.writestr(name, data)
    assert bundle.unpack(held.getvalue()) == story.contents()


@pytest.mark.parametrize(
    "name", ["../record.json", "/etc/passwd", "att/../x.jpg", "att\\x", "C:\\x", "RECORD.JSON", "att/x.jpg", "chain/0.json", "x/"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, story: Story) -> None:
    assert "does not belong into a bundle" in refused(one_more(story, zipfile.ZipInfo(name)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(story: Story) -> None:
    assert refused(one_more(story, zipfile.ZipInfo("record.json"))) == "record.json is in it twice"


def test_a_name_that_goes_on_behind_its_end_is_refused(files: Files) -> None:
    data = zipped({**{name: data for name, data in files.items() if name != "record.json"}, "record.json!.txt": b"{}"})
    assert "does not belong into a bundle" in refused(data.replace(b"record.json!.txt", b"record.json\0.txt"))


def test_a_link_is_refused(files: Files) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name == "unit.pem" else 0o100644) << 16
            archive.writestr(info, data)
    assert "link" in refused(held.getvalue())


def test_an_entry_larger_than_any_belongs_in_is_refused_unread(files: Files) -> None:
    huge = zipfile.ZipInfo("record.json")
    huge.compress_type = zipfile.ZIP_DEFLATED
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(huge, bytes(bundle.MAX_TEXT_BYTES + 1))
    assert refused(held.getvalue()) == "record.json is too large"


def test_an_entry_that_says_less_than_it_holds_is_refused(files: Files) -> None:
    bomb = zipfile.ZipInfo("README.txt")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(bomb, bytes(50_000))
    data = held.getvalue().replace((50_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert refused(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_takes_memory_without_a_limit_is_refused_unread(method: int, files: Files) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    data = held.getvalue().replace(b"\x09\x04\x05\x00\x5d", b"\x09\x04\x05\x00\xff")  # LZMA's properties: damaged too
    assert "not every zip program reads" in refused(data)


def test_a_second_name_that_some_programs_take_is_refused(story: Story) -> None:
    entry = zipfile.ZipInfo("chain/4.json")
    entry.extra = struct.pack("<HHBL", 0x7075, 16, 1, zlib.crc32(b"chain/4.json")) + b"record.json"  # APPNOTE 4.6.9
    told = refused(one_more(story, entry))
    assert "could read two files" in told or "is in it twice" in told  # Python 3.13 reads the second name itself


def test_headers_that_tell_of_two_packings_are_refused(story: Story) -> None:
    data = bytearray(bundle.pack(story.contents()))
    data[8] ^= 8  # the method of the first file, in the header before it and not in the directory
    assert "could read two files" in refused(bytes(data))


def test_a_record_as_long_as_the_wire_takes_is_read_from_its_bundle(story: Story) -> None:
    item = story.said.items[0]
    long = story.again(items=tuple(structs.replace(item, code="\u20ac" * 200, line_id=str(n)) for n in range(1_400)))
    assert len(long.rec.encode()) > 900_000
    assert verify_bundle(bundle.unpack(bundle.pack(story.live(long))), story.fleet.root).good


def test_too_many_entries_are_refused(files: Files) -> None:
    assert "64 at most" in refused(zipped({**files, **{f"chain/{n}.json": b"{}" for n in range(4, 80)}}))


@pytest.mark.parametrize("where", ["before", "behind"])
def test_nothing_hides_before_or_behind(where: str, story: Story) -> None:
    good = bundle.pack(story.contents())
    assert refused(b"#!/bin/sh\n" + good if where == "before" else good + b"more")


def test_nothing_hides_between_the_files(story: Story, files: Files) -> None:
    held = io.BytesIO(bundle.pack(story.contents()))
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("hidden.txt", b"another record")
        archive.filelist.remove(archive.NameToInfo.pop("hidden.txt"))
        archive.writestr("chain/4.json", files["chain/1.json"])
    assert "hides something" in refused(held.getvalue())


def test_a_comment_is_refused(story: Story) -> None:
    held = io.BytesIO(bundle.pack(story.contents()))
    with zipfile.ZipFile(held, "a") as archive:
        archive.comment = b"PK\x05\x06"
    assert refused(held.getvalue())


@pytest.mark.parametrize("name", bundle.NEEDED)
def test_what_is_missing_is_named(name: str, files: Files) -> None:
    assert refused(zipped({other: data for other, data in files.items() if other != name})) == f"{name} is missing from it"


def test_more_neighbours_than_a_record_has_are_refused_unread(files: Files) -> None:
    assert "2 neighbours at most" in refused(zipped({**files, "chain/9.json": b"[" * 1_000_000}))


def test_half_of_an_earlier_receipt_is_refused(files: Files) -> None:
    assert "belong together" in refused(zipped({name: data for name, data in files.items() if name != "after.jws"}))


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"jws":"","rec":1}', b"\xff", b'{"rec":"","jws":""}'])
def test_a_neighbour_that_is_none_is_named(data: bytes, files: Files) -> None:
    assert refused(zipped({**files, "chain/1.json": data})).startswith("chain/1.json: ")


def test_text_that_is_none_is_named(files: Files) -> None:
    assert refused(zipped({**files, "record.json": b"\xff"})) == "record.json is not UTF-8 text"


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    assert refused(data)


def test_damage_anywhere_is_refused_or_harmless_and_never_an_accident(story: Story) -> None:
    good, chance = bundle.pack(story.contents()), random.Random(7)
    for _ in range(150):
        data = bytearray(good)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            contents = bundle.unpack(bytes(data))
        except EvidenceError:
            continue
        assert contents == story.contents() or not verify_bundle(contents, story.fleet.root).good


def test_a_cut_bundle_is_refused(story: Story) -> None:
    good = bundle.pack(story.contents())
    for length in range(0, len(good), 97):
        assert refused(good[:length])
