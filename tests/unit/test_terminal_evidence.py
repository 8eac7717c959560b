"""The unit's chain: every proof in it once, without a gap, over restarts and losses; the newest receipt named in what follows it."""

from __future__ import annotations

import hashlib
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from mqtt.evidence.chain import Signed, link_of, read_record
from mqtt.evidence.receipt import link_of_receipt
from mqtt.messages import Pod
from tests.journals import BOOT, open_journal
from tests.proofs import Keys, attachment, book_of, events_of, keys_of_the_session, pods_of, proof, write


@pytest.fixture(scope="module")
def keys() -> Keys:
    return keys_of_the_session()


def chained(pods: list[Pod]) -> bool:
    """Whether they follow each other without a gap."""
    records = [read_record(Signed(rec=pod.rec, jws=pod.jws)) for pod in pods]
    return all(
        later.seq == earlier.seq + 1 and later.prev == link_of(pod.rec, pod.jws)
        for (earlier, later), pod in zip(pairwise(records), pods, strict=False)
    )


def lose(folder: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        (folder / f"journal.db{ending}").unlink(missing_ok=True)


def test_the_first_record_names_the_certificate_and_the_others_the_one_before(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        for _ in range(3):
            write(journal, book, proof())
        pods = pods_of(journal)
    first = read_record(Signed(rec=pods[0].rec, jws=pods[0].jws))
    assert (first.seq, first.prev) == (1, hashlib.sha256(keys.signer.certificate_der).hexdigest())
    assert len(pods) == 3
    assert chained(pods)


def test_a_record_says_all_that_the_day_knew(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof(attachments=(attachment(),), flags=("moving", "far"), rating=4))
        pod = pods_of(journal)[0]
    told = msgspec.json.decode(pod.rec)
    assert (told["unit"], told["stop"], told["job"], told["driver"], told["fw"]) == ("van-1", "s-4", "o-9", "d-1", "1.4.0")
    assert told["pos"] == {"lat_e7": 510_543_210, "lon_e7": 37_250_000, "acc_m": 3, "fix": 3, "sats": 11, "age_ms": 0}
    assert told["t"] == {"wall": "2026-12-11T13:20:00.000Z", "mono_ms": 5_000, "src": "gnss", "err_ms": 50, "after": None} | {
        "wall": told["t"]["wall"]
    }
    assert (told["flags"], told["rating"], told["place_m"]) == (["far", "moving"], 4, 12)
    assert told["att"][0]["enc_sha256"] == "1" * 64


def test_several_proofs_go_into_one_commit_in_their_order(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof(stop_id="a"), proof(stop_id="b"))
        pods = pods_of(journal)
    assert [msgspec.json.decode(pod.rec)["stop"] for pod in pods] == ["a", "b"]
    assert chained(pods)


def test_attachments_wait_to_be_sent_from_the_same_commit_on(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof(attachments=(attachment("1"), attachment("2", "signature"))))
        assert list(journal.work("blob:")) == ["blob:" + "1" * 64, "blob:" + "2" * 64]


def test_the_chain_goes_on_after_a_restart(tmp_path: Path, keys: Keys) -> None:
    for _ in range(3):
        with closing(open_journal(tmp_path)) as journal:
            write(journal, book_of(journal, keys), proof(), proof())
            pods = pods_of(journal)
    assert len(pods) == 6
    assert chained(pods)


def test_a_cut_between_signing_and_the_commit_leaves_no_gap(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        write(journal, book, proof())
        book.write([proof()])  # and the power goes
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        pods = pods_of(journal)
        assert [msgspec.json.decode(pod.rec)["seq"] for pod in pods] == [1, 2]
        assert chained(pods)


def test_a_lost_journal_signs_no_number_twice_and_says_so(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        for _ in range(4):
            write(journal, book, proof())
        head = book.head
    lose(tmp_path)
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        told = msgspec.json.decode(pods_of(journal)[0].rec)
        assert (told["seq"], told["prev"]) == (5, head.link)
        assert ("evidence.chain_resumed", {"seq": 4, "from": "file"}) in events_of(journal)


def test_a_damaged_piece_with_the_chain_s_end_is_made_good_from_the_file(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        journal.append(BOOT, work={"chain": None})
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        assert chained(pods_of(journal))


def test_an_old_copy_of_the_journal_put_back_forks_nothing(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
    old = (tmp_path / "journal.db").read_bytes()
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        write(journal, book_of(journal, keys), proof())
    lose(tmp_path)
    (tmp_path / "journal.db").write_bytes(old)
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        assert msgspec.json.decode(pods_of(journal)[-1].rec)["seq"] == 4


def test_a_unit_that_lost_both_goes_on_behind_what_a_receipt_shows(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        for _ in range(3):
            write(journal, book, proof())
        receipt = keys.receipt(pods_of(journal)[-1])
        head = book.head
    lose(tmp_path)
    (tmp_path / "journal.db.chain").unlink()
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        book.take([receipt])
        write(journal, book, proof())
        told = msgspec.json.decode(pods_of(journal)[0].rec)
        assert (told["seq"], told["prev"]) == (4, head.link)
        assert [name for name, _ in events_of(journal)] == ["evidence.chain_begun", "evidence.chain_resumed"]


def test_a_record_names_the_newest_receipt_that_the_unit_held(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        write(journal, book, proof(), proof())
        receipts = [keys.receipt(pod) for pod in pods_of(journal)]
        book.take([receipts[1], receipts[0]])
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        assert msgspec.json.decode(pods_of(journal)[-1].rec)["t"]["after"] == link_of_receipt(receipts[1])


def test_a_receipt_that_the_unit_signed_itself_or_that_is_another_s_counts_for_nothing(
    tmp_path: Path, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        write(journal, book, proof())
        pod = pods_of(journal)[0]
        own, other = keys.receipt(pod, by_unit=True), keys.receipt(pod, unit="van-2")
        altered = msgspec.structs.replace(keys.receipt(pod), rc=keys.receipt(pod).rc.replace("2026", "2025"))
        book.take([own, other, altered])
        write(journal, book, proof())
        assert msgspec.json.decode(pods_of(journal)[-1].rec)["t"]["after"] is None
    assert sum("passed over" in record.message for record in caplog.records) == 3


def test_a_proof_that_cannot_be_a_record_is_kept_and_the_chain_has_no_gap(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        bad = proof(outcome="eaten_by_a_dog")
        entry = book.write([proof(), bad, proof()])
        journal.append(BOOT, entry.drafts, work=entry.work)
        book.written(entry)
        assert [name for name, _ in entry.refused] == [bad.id]
        assert "unsealed:" + bad.id in journal.work()
        assert len(pods_of(journal)) == 2
        assert chained(pods_of(journal))


def test_a_reason_that_the_fleet_named_freely_becomes_a_word_of_the_record(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof(outcome="failed_other", reason="Gate locked, no code!", recipient=None))
        assert msgspec.json.decode(pods_of(journal)[0].rec)["reason"] == "gate_locked_no_code_"


def test_a_card_that_does_not_take_the_file_beside_the_journal_still_takes_the_proof(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("firmware.evidence.write_durably", full)
        write(journal, book, proof())
        assert len(pods_of(journal)) == 1
