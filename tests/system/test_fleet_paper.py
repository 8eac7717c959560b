"""The page that shows a proof."""

from __future__ import annotations

import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs
from PIL import Image
from pypdf import PdfReader

from fleet.dossier import Dossier, Held
from fleet.paper import Extras, html, name_of, pdf
from fleet.proofs import Chain
from fleet.rows import ProofRow
from fleet.strokes import MIME
from mqtt.evidence.chain import Signed
from mqtt.evidence.findings import Finding
from mqtt.evidence.record import Attachment, Cash, Item, Recipient, Record, When, Where

LINK = "3f" * 32
STROKES = {"v": 1, "unit": "px/4", "width": 600, "height": 200, "fields": ["x", "y"], "strokes": [[10, 400, 200, -300, 400, 200]]}
RECORD = Record(
    unit="van-12", boot="abcdef01", seq=7, prev="0" * 64, id="0192f3a1-0000-4000-8000-000000000001", job="J-1", stop="s4",
    outcome="delivered_to_third_party", reason=None,
    recipient=Recipient(name="محمد بن علي", relation="neighbour", signature_state="signed"), driver="Łukasz",
    items=(Item(code="00340123450000000017", sym="code128", line_id="l1", state="delivered", qty=1, qty_fact=1, reason=None),),
    t=When(wall="2026-05-04T08:15:42.000Z", mono_ms=5, src="gnss", err_ms=50, after=None),
    pos=Where(lat_e7=524_000_000, lon_e7=134_000_000, acc_m=4, fix=3, sats=11, age_ms=300), att=(), fw="1.4.0",
    flags=("far",), note="שער אחורי", place_m=140,
)  # fmt: skip


def picture() -> bytes:
    held = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((1600, 1200)).save(held, "JPEG")
    return held.getvalue()


def held(kind: str, mime: str, data: bytes | None) -> Held:
    told = Attachment(kind=kind, mime=mime, sha256="ab" * 32, len=9, enc_sha256="cd" * 32, enc_len=9)  # type: ignore[arg-type]  # a word of three
    return Held(told=told, data=data)


def good(text: str) -> Finding:
    return Finding(level="good", about="record", text=text)


def dossier(record: Record = RECORD, *attachments: Held) -> Dossier:
    row = ProofRow(
        unit="van-12", link=LINK, chain_seq=record.seq, id=record.id, stop=record.stop, outcome=record.outcome, recipient=None, driver=None,
        t_ms=None, corrects=None, verified_ms=1, fault=None, rc=None, rc_jws=None, signer=None, received_ms=1, payload=b"",
    )  # fmt: skip
    signed, chain = Signed(rec="", jws=""), Chain(leaf=b"", issuing=b"")
    return Dossier(row=row, signed=signed, record=record, chain=chain, by=None, attachments=attachments)


def text(page: bytes) -> str:
    reader = PdfReader(io.BytesIO(page))
    assert len(reader.pages) == 1
    return reader.pages[0].extract_text()


def test_one_page_tells_who_what_where_and_when_in_any_script() -> None:
    whole = dossier(RECORD, held("photo", "image/jpeg", picture()), held("signature", MIME, json.dumps(STROKES).encode()))
    told = text(pdf(whole, [good("Unit van-12 signed record 7, and nothing in it was changed since.")]))
    for words in (
        "محمد بن علي",
        "שער אחורי",
        "Łukasz",
        "00340123450000000017",
        "2026-05-04 08:15:42",
        "52.40000, 13.40000",
        "140 m",
        LINK,
    ):
        assert words in told
    assert "nothing in it was changed since" in told
    assert "Delivered to third party" in told


def test_arabic_runs_from_right_to_left_and_latin_from_left_to_right() -> None:
    page = html(dossier(), [], 5, Extras())
    assert '<td dir="rtl">محمد بن علي' in page
    assert '<td dir="ltr">Łukasz' in page


@pytest.mark.parametrize("lines", [0, 1000])
def test_however_much_was_handed_over_it_stays_one_page(lines: int) -> None:
    items = RECORD.items * lines
    crowded = structs.replace(RECORD, items=items, note="long " * 200, flags=("far", "moving", "no_position"))
    photos = [held("photo", "image/jpeg", picture())] * 3
    told = text(pdf(dossier(crowded, *photos, held("signature", MIME, json.dumps(STROKES).encode())), [good("A sentence.")] * 12))
    assert "VERIFICATION" in told


def test_what_a_record_says_is_text_and_never_markup() -> None:
    evil = '<img src="http://example.org/x"><script>alert(1)</script>'
    page = html(dossier(structs.replace(RECORD, note=evil, stop=evil, driver=evil)), [good(evil)], 5, Extras())
    assert "<script" not in page
    assert "<img" not in page


EVIL = "Bob\u202egnihtyna\u2066 \x1b[2J\u2028e" + "\u0301" * 90


def test_no_name_turns_covers_or_hides_what_stands_beside_it() -> None:
    record = structs.replace(
        RECORD, recipient=Recipient(name=EVIL, relation="neighbour", signature_state="signed"), note=EVIL, reason=EVIL, driver=EVIL
    )
    page = html(dossier(record), [good(EVIL)], 5, Extras(address=EVIL))
    assert page.count("Bob?gnihtyna? ?[2J e") >= 5
    assert not set("\u202e\u2066\x1b\u2028") & set(page)
    assert "\u0301" * 5 not in page


def test_what_persian_and_emoji_need_to_join_stays() -> None:
    assert "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645" in html(
        dossier(structs.replace(RECORD, note="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")), [], 5, Extras()
    )


@pytest.mark.parametrize(
    ("currency", "due"), [("EUR", "1,299.50 EUR due"), ("JPY", "129,950 JPY due"), ("KWD", "129.950 KWD due"), ("ABC", "1,299.50 ABC due")]
)
def test_money_has_the_decimals_of_its_currency(currency: str, due: str) -> None:
    cash = Cash(amount=129_950, taken=130_000, change=50, currency=currency, method="cash")
    assert due in html(dossier(structs.replace(RECORD, cash=cash)), [], 5, Extras())


def test_local_time_stands_beside_utc_with_its_offset() -> None:
    page = html(dossier(), [], 5, Extras(zone=ZoneInfo("Asia/Riyadh")))
    assert "2026-05-04 08:15:42" in page
    assert "2026-05-04 11:15:42, UTC+03:00 (Asia/Riyadh)" in page


def test_a_page_says_that_it_is_not_the_last_word() -> None:
    page = html(structs.replace(dossier(), corrected_by="0192f3a1-0000-4000-8000-00000000000b"), [], 5, Extras())
    assert "A later record corrects this one: 0192f3a1-0000-4000-8000-00000000000b." in page


def test_a_page_ends_in_one_verdict() -> None:
    whole = structs.replace(dossier(), row=structs.replace(dossier().row, rc="{}", rc_jws=""))
    bad = Finding(level="bad", about="time", text="The time does not hold.")
    assert "The proof holds." in html(whole, [good("x")], 5, Extras())
    assert "The proof does NOT hold." in html(whole, [good("x"), bad], 5, Extras())
    assert "Not yet receipted" in html(dossier(), [good("x")], 5, Extras())


def test_a_fleet_s_own_reason_is_printed_as_it_is() -> None:
    failed = structs.replace(RECORD, outcome="failed_access", reason="Gate locked!", recipient=None)
    assert "Not delivered: access (<bdi>Gate locked!</bdi>)" in html(dossier(failed), [], 5, Extras())


def test_a_signature_that_the_record_claims_and_does_not_name_is_remarked() -> None:
    assert "Signed, says the record, but it names no signature" in html(dossier(), [], 5, Extras()).replace("signed, says", "Signed, says")


@pytest.mark.parametrize("data", [b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"])
def test_a_photo_is_a_jpeg_or_nothing_opens_it(data: bytes) -> None:
    assert "it is no JPEG" in text(pdf(dossier(RECORD, held("photo", "image/jpeg", data)), []))


def test_no_file_and_no_address_is_opened_for_a_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fleet import paper

    opened: list[str] = []
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(picture())
    monkeypatch.setattr(paper, "_qr", lambda _: f'<img src="{secret.as_uri()}"><img src="data:image/gif;base64,R0lGODlh">')
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *_, **__: opened.append("something"))
    page = PdfReader(io.BytesIO(pdf(dossier(), []))).pages[0]
    assert len(page.images) == 0
    assert opened == []


def test_what_has_not_come_yet_is_said() -> None:
    told = text(pdf(dossier(RECORD, held("photo", "image/jpeg", None), held("signature", MIME, None)), []))
    assert told.count("not yet received") == 2


@pytest.mark.parametrize("data", [b"", b"[]", b'{"v":1,"unit":"px/4","fields":["x","y"],"strokes":[["<script>",1]]}', b"\xff\xd8"])
def test_a_signature_that_is_none_does_not_stop_the_page(data: bytes) -> None:
    assert "cannot be drawn" in text(pdf(dossier(RECORD, held("signature", MIME, data)), []))


def test_a_photo_that_is_none_does_not_stop_the_page() -> None:
    assert "Delivered" in text(pdf(dossier(RECORD, held("photo", "image/jpeg", b"no picture")), []))


def test_the_code_names_the_record_by_its_id_and_128_bits_of_its_link() -> None:
    assert name_of(dossier()) == f"urn:uuid:{RECORD.id}#{'3f' * 16}"
