"""A proof as one page of PDF: what was handed to whom, where and when, the photo, the signature, and what checking it found.

The page is drawn without a network: every address but those of the photos in it is refused. Text of any script runs in its own direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from html import escape
from typing import Any

import msgspec

from fleet import money, strokes
from fleet.dossier import Dossier, Held
from fleet.lettering import direction, plain
from fleet.style import CSS
from mqtt.evidence.findings import Finding
from mqtt.evidence.record import Item, Record

ROOMS = ((30, 66), (30, 58), (12, 50), (5, 40), (0, 28))  # lines of goods, height of the photo in mm: as much as one page takes
NOTE_LIMIT = 300
PICTURES = 3
PICTURE = "roadproof-picture:"
JPEG = b"\xff\xd8\xff"  # nothing else is given to the program that draws: it would find out by itself what it is, and run that
SOURCES = {"gnss": "set by satellites", "ntp": "set by the network", "rtc": "not set since it was started", "floor": "not set at all"}
MARKS = {"good": "✓", "note": "·", "bad": "✗"}
DONE = ("delivered_", "picked_up_")
TITLES = {"delivered_": "Proof of delivery", "picked_up_": "Proof of pickup"}
Facts = dict[str, str | None]


class OnePageError(Exception):
    """The proof does not fit one page, whatever is left out."""


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """What is not in the record: the address, from the run; the zone whose time the page shows beside UTC."""

    address: str | None = None
    zone: tzinfo | None = None


def pdf(dossier: Dossier, findings: Sequence[Finding], extras: Extras | None = None) -> bytes:
    """The page; `findings` are those of the check."""
    for lines, photo_mm in ROOMS:
        drawn = _drawn(dossier, html(dossier, findings, lines, extras or Extras(), photo_mm))
        if len(drawn.pages) == 1:
            return bytes(drawn.write_pdf())
    raise OnePageError("the proof does not fit one page: make a bundle of it instead")


def _drawn(dossier: Dossier, page: str) -> Any:
    from PIL import ImageFile
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint allows half a picture, and with that the whole process would

    pictures = {f"{PICTURE}{number}": held.data for number, held in enumerate(_pictures(dossier)) if held.data is not None}

    class Closed(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        """Answers from memory, and nothing else."""

        def fetch(self, url: str, _headers: Any = None) -> URLFetcherResponse:
            if url not in pictures:
                raise ValueError("no address is followed from a proof")
            return URLFetcherResponse(url, pictures[url], {"Content-Type": "image/jpeg"})

    return HTML(string=page, url_fetcher=Closed()).render()


def html(dossier: Dossier, findings: Sequence[Finding], item_limit: int, extras: Extras, photo_mm: int = 66) -> str:
    """The page before it is drawn; whatever a record says is escaped."""
    record = dossier.record
    title = next((title for start, title in TITLES.items() if record.outcome.startswith(start)), "Record of an attempt")
    left = _section("Who", _who(record)) + _section("When", _when(record, extras.zone))
    right = _section("Where", _where(record, extras.address))
    parts = (
        f'<div class="top"><div><h1>{title}</h1><p class="outcome {_tone(record)}">{_outcome(record)}</p>{_warning(dossier)}</div>',
        f'<div class="qr">{_qr(dossier)}<br>{record.id[:8]}</div></div>',
        f'<div class="columns"><div>{left}</div><div>{right}</div></div>' + _section("Remarks", _remarks(record)),
        f"<h2>What</h2>{_goods(record, item_limit)}{_facts({'Cash on delivery': _cash(record)})}",
        _evidence(dossier),
        _verification(dossier, findings),
        f'<p class="small">{_names(dossier)}</p>',
    )
    head = f'<meta charset="utf-8"><title>{title} {record.id}</title><style>{CSS.replace("PHOTO_MM", f"{photo_mm}mm")}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def words(name: str) -> str:
    """A word of the contract as people write it: `delivered_to_recipient`. A fleet's own code stays as it is."""
    return name.replace("_", " ").capitalize() if name.isascii() and name.replace("_", "").isalnum() and name.islower() else name


def _partial(record: Record) -> bool:
    return any(item.qty_fact < item.qty for item in record.items)


def _tone(record: Record) -> str:
    return "failed" if not record.outcome.startswith(DONE) else "partial" if _partial(record) else "done"


def _outcome(record: Record) -> str:
    why = record.outcome.removeprefix("failed_")
    told = f"Not delivered: {words(why).lower()}" if why != record.outcome else words(record.outcome)
    partly = ", in part" if record.outcome.startswith(DONE) and _partial(record) else ""
    reason = f" ({_text(words(record.reason))})" if record.reason and record.reason != why else ""
    return f"{escape(told)}{partly}{reason}"


def _warning(dossier: Dossier) -> str:
    """That this is not the last word, or not the first."""
    told = []
    if dossier.corrected_by is not None:
        told.append(f"A later record corrects this one: {dossier.corrected_by}.")
    if dossier.record.corrects is not None:
        told.append(f"This record corrects an earlier one: {dossier.record.corrects}.")
    return f'<p class="warning">{escape(" ".join(told))}</p>' if told else ""


def _who(record: Record) -> Facts:
    recipient = record.recipient
    return {
        "Handed to" if not record.outcome.startswith("picked_up_") else "Handed over by": (recipient.name or "name not given")
        if recipient
        else None,
        "Who is": words(recipient.relation).lower() if recipient and recipient.relation else None,
        "Driver": record.driver,
        "Vehicle unit": record.unit,
    }


def _when(record: Record, zone: tzinfo | None) -> Facts:
    at = datetime.fromisoformat(record.t.wall)
    local = at.astimezone(zone) if zone else None
    return {
        "UTC": f"{at:%Y-%m-%d %H:%M:%S}",
        "Local": f"{local:%Y-%m-%d %H:%M:%S}, UTC{local.isoformat()[-6:]} ({zone})" if local else None,
        "Clock": f"{SOURCES[record.t.src]}, within {record.t.err_ms / 1000:,.1f} s",
    }


def _where(record: Record, address: str | None) -> Facts:
    pos = record.pos
    accuracy = "" if pos is None or pos.acc_m is None else f", within {pos.acc_m:,} m"
    return {
        "Position": "not known" if pos is None else f"{pos.lat_e7 / 1e7:.5f}, {pos.lon_e7 / 1e7:.5f}{accuracy}",
        "From the stop": None if record.place_m is None else f"{record.place_m:,} m",
        "Address (of the run, not signed)": address,
        "Stop": record.stop,
        "Job": record.job,
    }


def _remarks(record: Record) -> Facts:
    return {
        "By the terminal": ", ".join(words(flag).lower() for flag in record.flags) or None,
        "By the driver": record.note and record.note[:NOTE_LIMIT],
        "By the recipient": None if record.rating is None else f"{record.rating} of 5 stars",
    }


def _cash(record: Record) -> str | None:
    cash = record.cash
    if cash is None:
        return None
    due, taken, change = (money.written(amount, cash.currency) for amount in (cash.amount, cash.taken, cash.change))
    method = {"cash": f"{taken} taken in cash, {change} given back", "card": "paid by card", "paid": "paid before"}
    reference = f", reference {cash.reference}" if cash.reference else ""
    return f"{due} due; {method.get(cash.method, words(cash.method).lower())}{reference}"


def _section(title: str, told: Facts) -> str:
    return f"<h2>{title}</h2>{_facts(told)}" if any(told.values()) else ""


def _facts(told: Facts) -> str:
    rows = "".join(f"<tr><th>{escape(name)}</th>{_cell(value)}</tr>" for name, value in told.items() if value)
    return f"<table>{rows}</table>" if rows else ""


def _text(text: str) -> str:
    """A stranger's words inside a line of ours: what they are made of cannot turn the rest of it."""
    return f"<bdi>{escape(plain(text))}</bdi>"


def _cell(text: str) -> str:
    return f'<td dir="{direction(text)}">{escape(plain(text))}</td>'


def _goods(record: Record, limit: int) -> str:
    if not record.items:
        return '<p class="none">none listed</p>'
    shown = "".join(_item_row(item) for item in record.items[:limit])
    left = len(record.items) - limit
    more = f'<p class="none">and {left:,} more: they are in the record</p>' if left > 0 else ""
    head = "<tr><th>Code</th><th>Line</th><th>State</th><th>Handed over</th></tr>"
    return (f'<table class="goods">{head}{shown}</table>' if limit else "") + more


def _item_row(item: Item) -> str:
    state = words(item.state).lower() + "".join(f", {words(why).lower()}" for why in (item.reason, item.grade) if why)
    return f"<tr>{_cell(item.code or '-')}{_cell(item.line_id or '-')}{_cell(state)}{_cell(f'{item.qty_fact} of {item.qty}')}</tr>"


def _evidence(dossier: Dossier) -> str:
    drawn = [_picture(number, held) for number, held in enumerate(_pictures(dossier))]
    photos = "".join(drawn) or '<span class="none">none was taken</span>'
    return (
        f'<div class="columns"><div><h2>Photo</h2><div class="pictures n{len(drawn)}">{photos}</div></div>'
        f'<div><h2>Signature</h2><div class="signature">{_signed(dossier)}</div></div></div>'
    )


def _pictures(dossier: Dossier) -> list[Held]:
    return [held for held in dossier.attachments if held.told.kind != "signature" and held.told.mime == "image/jpeg"][:PICTURES]


def _picture(number: int, held: Held) -> str:
    if held.data is None:
        return f'<span class="none">{held.told.kind}: not yet received</span>'
    if not held.data.startswith(JPEG):
        return f'<span class="none">{held.told.kind}: it is no JPEG, and is not shown</span>'
    return f'<img src="{PICTURE}{number}">'


def _signed(dossier: Dossier) -> str:
    held = next((held for held in dossier.attachments if held.told.kind == "signature"), None)
    recipient = dossier.record.recipient
    state = recipient.signature_state if recipient else "not_required"
    if held is None:
        missing = ", says the record, but it names no signature" if state == "signed" else ""
        return f'<span class="none">{words(state).lower()}{missing}</span>'
    name = f'<div class="small">{_text(recipient.name)}</div>' if recipient and recipient.name else ""
    return _strokes(held) + name


def _strokes(held: Held) -> str:
    if held.data is None:
        return '<span class="none">not yet received</span>'
    try:
        return strokes.svg(strokes.read(held.data))
    except strokes.StrokesError as error:
        return f'<span class="none">{_text(str(error))}</span>'


def _verification(dossier: Dossier, findings: Sequence[Finding]) -> str:
    tone, verdict = ("done", "The proof holds.") if all(one.level != "bad" for one in findings) else ("failed", "The proof does NOT hold.")
    if dossier.row.receipt is None:
        tone, verdict = "partial", "Not yet receipted: its time rests on the unit's clock alone."
    lines = "".join(f'<div class="finding"><b>{MARKS[one.level]}</b> {_text(one.text)}</div>' for one in findings)
    return (
        f'<h2>Verification</h2><p class="verdict {tone}">{verdict}</p>{lines}'
        '<p class="how">This page is a picture of the proof; the proof itself is the bundle, a zip file that the sender of this page can '
        "give you. Check it yourself, without a network and without trusting anybody but the fleet's root certificate: unpack it, and run "
        "<code>bash verify-openssl.sh ../root.pem</code> inside (bash, openssl), or <code>roadproof verify BUNDLE --root root.pem</code>. "
        "The square above names the record, and its fingerprint, by which you see that the bundle is of this page.</p>"
    )


def _qr(dossier: Dossier) -> str:
    import segno

    return str(segno.make(name_of(dossier), error="m", micro=False).svg_inline(scale=1, border=2, omitsize=True))


def name_of(dossier: Dossier) -> str:
    """The record in one line, as the QR code holds it: its id, and enough of its link that no other record has it."""
    return f"urn:uuid:{dossier.record.id}#{dossier.row.link[:32]}"  # 128 bits


def _names(dossier: Dossier) -> str:
    attachments = "".join(f"<br>{held.told.kind} SHA-256 {held.told.sha256}" for held in dossier.attachments[: PICTURES + 1])
    record = dossier.record
    place = f"Record {record.id}, number {record.seq} of unit {record.unit}, firmware {_text(record.fw)}"
    return f"{place}<br>link {dossier.row.link}{attachments}"
