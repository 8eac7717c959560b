"""A proof as one page of PDF: what was handed to whom, where and when, the photo, the signature, and what checking it found.

The page is drawn without a network: every address but those of the photos in it is refused. Text of any script runs in its own direction.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Any

from fleet import strokes
from fleet.dossier import Dossier, Held
from mqtt.evidence.record import Item, Record

ITEM_LIMITS = (40, 20, 8, 0)  # lines of goods: as many as leave it one page
NOTE_LIMIT = 300
PICTURES = 3
PICTURE = "roadproof-picture:"
RIGHT_TO_LEFT = {"R", "AL"}
FONTS = '"Noto Sans", "DejaVu Sans", "Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Hebrew", "Noto Sans CJK SC", sans-serif'
CSS = f"""
@page {{ size: A4; margin: 14mm 15mm }}
body {{ font: 9.5pt/1.35 {FONTS}; color: #111; margin: 0 }}
h1 {{ font-size: 17pt; margin: 0 }}
h2 {{ font-size: 10.5pt; margin: 4mm 0 1mm; border-bottom: 0.3mm solid #999 }}
.qr {{ float: right; width: 27mm; height: 27mm; margin-left: 6mm }}
.qr svg {{ width: 27mm; height: 27mm }}
.outcome {{ font-size: 12pt; margin: 1mm 0 2mm }}
table {{ width: 100%; border-collapse: collapse }}
th {{ font-weight: normal; color: #555; width: 30mm }}
th, td {{ vertical-align: top; text-align: left; padding: 0.3mm 2mm 0.3mm 0; overflow-wrap: anywhere }}
.goods th {{ width: auto; border-bottom: 0.2mm solid #999 }}
.pictures img {{ max-height: 68mm; max-width: 58mm; margin-right: 2mm }}
.signature svg {{ height: 24mm; max-width: 110mm }}
.small {{ font-size: 7.5pt; color: #333; overflow-wrap: anywhere }}
.none {{ color: #777 }}
"""


class OnePageError(Exception):
    """The proof does not fit one page, whatever is left out."""


def pdf(dossier: Dossier, findings: list[str], address: str | None = None) -> bytes:
    """The page; `findings` are the sentences of the check, `address` is not in the record: both are printed as they are."""
    for limit in ITEM_LIMITS:
        drawn = _drawn(dossier, html(dossier, findings, limit, address))
        if len(drawn.pages) == 1:
            return bytes(drawn.write_pdf())
    raise OnePageError("the proof does not fit one page: make a bundle of it instead")


def _drawn(dossier: Dossier, page: str) -> Any:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    pictures = {f"{PICTURE}{number}": held.data for number, held in enumerate(_pictures(dossier)) if held.data is not None}

    class Closed(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        """Answers from memory, and nothing else."""

        def fetch(self, url: str, _headers: Any = None) -> URLFetcherResponse:
            if url not in pictures:
                raise ValueError("no address is followed from a proof")
            return URLFetcherResponse(url, pictures[url], {"Content-Type": "image/jpeg"})

    return HTML(string=page, url_fetcher=Closed()).render()


def html(dossier: Dossier, findings: list[str], item_limit: int, address: str | None = None) -> str:
    """The page before it is drawn; whatever a record says is escaped."""
    record = dossier.record
    title = f"Proof of delivery {record.id}"
    parts = (
        f'<div class="qr">{_qr(dossier)}</div><h1>Proof of delivery</h1>',
        f'<p class="outcome">{escape(words(record.outcome))}{_reason(record)}</p>',
        _facts(_who(record) | {"Address (of the run, not signed)": address}),
        "<h2>Goods</h2>" + _goods(record, item_limit),
        _evidence(dossier),
        "<h2>Verification</h2>" + "".join(f"<div>{escape(text)}</div>" for text in findings),
        f'<p class="small">{_names(dossier)}</p>',
    )
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{CSS}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def words(name: str) -> str:
    """A word of the contract as people write it: `delivered_to_recipient`."""
    return name.replace("_", " ").capitalize()


def _reason(record: Record) -> str:
    return f": {escape(words(record.reason))}" if record.reason else ""


def _who(record: Record) -> dict[str, str | None]:
    recipient = record.recipient
    return {
        "Recipient": (recipient.name or "name not given") if recipient else None,
        "Relation": words(recipient.relation).lower() if recipient and recipient.relation else None,
        "Time": f"{record.t.wall[:10]} {record.t.wall[11:19]} UTC, from {_clock(record)}",
        "Place": _place(record),
        "Stop": record.stop if record.job is None else f"{record.stop}, job {record.job}",
        "Driver": record.driver,
        "Vehicle unit": record.unit,
        "Cash": _cash(record),
        "Rating": None if record.rating is None else f"{record.rating} of 5",
        "Note": record.note and record.note[:NOTE_LIMIT],
        "Remarked": ", ".join(words(flag).lower() for flag in record.flags) or None,
        "Corrects": record.corrects,
    }


def _clock(record: Record) -> str:
    source = {"gnss": "satellites", "ntp": "the network", "rtc": "the unit's own clock", "floor": "no clock that can be trusted"}[
        record.t.src
    ]
    return f"{source}, within {record.t.err_ms / 1000:.1f} s"


def _place(record: Record) -> str:
    if record.pos is None:
        return "not known"
    accuracy = "" if record.pos.acc_m is None else f", within {record.pos.acc_m} m"
    away = "" if record.place_m is None else f", {record.place_m} m from the stop"
    return f"{record.pos.lat_e7 / 1e7:.5f}, {record.pos.lon_e7 / 1e7:.5f}{accuracy}{away}"


def _cash(record: Record) -> str | None:
    cash = record.cash
    if cash is None:
        return None
    reference = f", reference {cash.reference}" if cash.reference else ""
    return (
        f"{cash.taken} of {cash.amount} {cash.currency} in its smallest unit, {words(cash.method).lower()}, change {cash.change}{reference}"
    )


def _facts(told: dict[str, str | None]) -> str:
    return "<table>" + "".join(f"<tr><th>{escape(name)}</th>{_cell(value)}</tr>" for name, value in told.items() if value) + "</table>"


def _cell(text: str) -> str:
    return f'<td dir="{_direction(text)}">{escape(text)}</td>'


def _direction(text: str) -> str:
    """Of the first letter that has one, as Unicode's bidirectional algorithm takes it for a paragraph (UAX 9, P2)."""
    strong = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((kind for kind in strong if kind in {"L", *RIGHT_TO_LEFT}), "L") in RIGHT_TO_LEFT else "ltr"


def _goods(record: Record, limit: int) -> str:
    if not record.items:
        return '<p class="none">none listed</p>'
    shown = "".join(_item_row(item) for item in record.items[:limit])
    left = len(record.items) - limit
    more = f'<p class="none">and {left} more: they are in the record</p>' if left > 0 else ""
    head = "<tr><th>code</th><th>line</th><th>state</th><th>quantity</th></tr>"
    return (f'<table class="goods">{head}{shown}</table>' if limit else "") + more


def _item_row(item: Item) -> str:
    state = words(item.state).lower() + (f", {words(item.reason).lower()}" if item.reason else "")
    return f"<tr>{_cell(item.code or '-')}{_cell(item.line_id or '-')}{_cell(state)}{_cell(f'{item.qty_fact} of {item.qty}')}</tr>"


def _evidence(dossier: Dossier) -> str:
    signature = next((held for held in dossier.attachments if held.told.kind == "signature"), None)
    state = dossier.record.recipient.signature_state if dossier.record.recipient else "not_required"
    pictures = "".join(
        f'<img src="{PICTURE}{number}">' if held.data is not None else f'<span class="none">{held.told.kind}: not yet received</span>'
        for number, held in enumerate(_pictures(dossier))
    )
    drawn = _signature(signature) if signature else f'<span class="none">{words(state).lower()}</span>'
    photos = f'<h2>Photo</h2><div class="pictures">{pictures}</div>' if pictures else ""
    return f'{photos}<h2>Signature</h2><div class="signature">{drawn}</div>'


def _pictures(dossier: Dossier) -> list[Held]:
    return [held for held in dossier.attachments if held.told.kind != "signature" and held.told.mime == "image/jpeg"][:PICTURES]


def _signature(held: Held) -> str:
    if held.data is None:
        return '<span class="none">not yet received</span>'
    try:
        return strokes.svg(strokes.read(held.data))
    except strokes.StrokesError as error:
        return f'<span class="none">{escape(str(error))}</span>'


def _qr(dossier: Dossier) -> str:
    import segno

    return str(segno.make(name_of(dossier), error="m", micro=False).svg_inline(scale=1, border=2, omitsize=True))


def name_of(dossier: Dossier) -> str:
    """The record in one line, as the QR code holds it: its id, and enough of its link that no other record has it."""
    return f"urn:uuid:{dossier.record.id}#{dossier.row.link[:32]}"  # 128 bits


def _names(dossier: Dossier) -> str:
    attachments = "".join(f"<br>{held.told.kind} SHA-256 {held.told.sha256}" for held in dossier.attachments)
    record = dossier.record
    return (
        f"Record {record.id}, number {record.seq} of unit {escape(record.unit)}<br>link {dossier.row.link}{attachments}<br>"
        "This page shows the record; the proof itself is the bundle, which anybody can check without a network."
    )
