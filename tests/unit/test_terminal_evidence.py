"""The unit's chain: every proof in it once, without a gap, over restarts and losses; the newest receipt named in what follows it."""

from __future__ import annotations

import hashlib
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from firmware.config import SettingsError
from firmware.day.proof import Item
from firmware.evidence.book import EvidenceBook
from firmware.terminal.cab import check_holder
from mqtt.evidence.chain import Signed, link_of, read_record
from mqtt.evidence.keys import FileSigner
from mqtt.evidence.receipt import link_of_receipt, sign_receipt
from mqtt.messages import Pod
from provisioning.authority import bench
from tests.journals import BOOT, open_journal
from tests.proofs import RECEIVED, UNIT, Keys, attachment, book_of, diary_of, events_of, keys_of_the_session, pods_of, proof, write


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


def test_around_a_renewal_receipts_by_the_old_and_the_new_certificate_count(tmp_path: Path, keys: Keys) -> None:
    bench.issue_receiver(keys.folder / "authority", "receiver-2", tmp_path / "new")
    new = FileSigner.load(tmp_path / "new/receiver.key", tmp_path / "new/receiver.pem")
    both = (keys.folder / "receiver/receiver.pem").read_bytes() + (tmp_path / "new/receiver.pem").read_bytes()
    with closing(open_journal(tmp_path)) as journal:
        book = EvidenceBook(
            unit=UNIT, boot=BOOT, firmware="1.4.0", signer=keys.signer, journal=journal, diary=diary_of(journal),
            authorities=msgspec.structs.replace(keys.authorities, receiver=both),
        )  # fmt: skip
        write(journal, book, proof(), proof())
        old_word, pod = keys.receipt(pods_of(journal)[0]), pods_of(journal)[1]
        book.take([old_word, sign_receipt(UNIT, 2, link_of(pod.rec, pod.jws), RECEIVED, new), keys.receipt(pod, by_unit=True)])
        journal.append(BOOT)
        assert list(journal.unsigned()) == []


def test_a_record_is_let_go_by_the_signed_receipt_for_it_and_by_no_other(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        write(journal, book, proof(), proof())
        first, second = pods_of(journal)
        book.take(
            [keys.receipt(first, by_unit=True), sign_receipt(UNIT, 1, "0" * 64, RECEIVED, keys.receiver_signer), keys.receipt(second)]
        )
        journal.append(BOOT)
        assert [row.number for row in journal.unsigned()] == [first.seq]


def test_a_receipt_that_comes_after_a_restart_still_lets_its_record_go(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof())
        receipt = keys.receipt(pods_of(journal)[0])
    with closing(open_journal(tmp_path)) as journal:
        book_of(journal, keys).take([receipt])
        journal.append(BOOT)
        assert list(journal.unsigned()) == []


def test_a_picture_may_go_when_the_receiver_signed_for_the_record_that_names_it(tmp_path: Path, keys: Keys) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        write(journal, book, proof(attachments=(attachment("1"), attachment("2", "signature"))))
        assert not any(book.may_forget(name.removeprefix("blob:"), piece) for name, piece in journal.work("blob:").items())
        assert not book.may_forget("1" * 64, b"found")
        assert book.may_forget("3" * 64, b"event")
        book.take([keys.receipt(pods_of(journal)[0])])
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)
        assert [book.may_forget(name.removeprefix("blob:"), piece) for name, piece in journal.work("blob:").items()] == [True, True]


def test_a_certificate_of_another_unit_is_refused_with_a_sentence(keys: Keys) -> None:
    certificate = str(keys.folder / "unit/unit.pem")
    check_holder(UNIT, certificate)
    with pytest.raises(SettingsError, match="is the certificate of unit van-1, not of van-2; have one issued for van-2"):
        check_holder("van-2", certificate)
    with pytest.raises(SettingsError, match=r"evidence\.certificate: .*does not say that its holder is a unit"):
        check_holder(UNIT, str(keys.folder / "receiver/receiver.pem"))


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


def test_a_reason_stands_in_the_record_as_the_fleet_s_run_names_it(tmp_path: Path, keys: Keys) -> None:
    item = Item(code=None, sym=None, line_id="l-1", state="rejected", qty=1, qty_fact=0, reason="Wet / 2")
    with closing(open_journal(tmp_path)) as journal:
        write(journal, book_of(journal, keys), proof(outcome="failed_other", reason="Gate locked, no code!", recipient=None, items=(item,)))
        told = msgspec.json.decode(pods_of(journal)[0].rec)
        assert (told["reason"], told["items"][0]["reason"]) == ("Gate locked, no code!", "Wet / 2")


def test_a_card_that_does_not_take_the_file_beside_the_journal_still_takes_the_proof(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_journal(tmp_path)) as journal:
        book = book_of(journal, keys)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("firmware.evidence.book.write_durably", full)
        write(journal, book, proof())
        assert len(pods_of(journal)) == 1
