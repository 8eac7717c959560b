"""A commissioning report as a page: one A4 sheet for people, with the signed report in it for machines."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from mqtt.evidence import EvidenceError, report
from mqtt.evidence.certificates import sha256_of
from mqtt.evidence.chain import encode
from mqtt.evidence.report import Line, Paper, Report, State
from mqtt.messages import utc_ms

if TYPE_CHECKING:
    from fpdf import FPDF
    from pypdf.generic import EmbeddedFile, PdfObject

EMBEDDED = "report.json"
MAX_PDF_BYTES = 2_000_000
PDF = b"%PDF-"
FLATE = "/FlateDecode"
WORDS: dict[State, str] = {"ok": "OK", "warn": "LOOK", "bad": "BAD", "skipped": "-"}
INK: dict[State, tuple[int, int, int]] = {"ok": (11, 97, 56), "warn": (107, 74, 0), "bad": (163, 19, 28), "skipped": (90, 100, 110)}
HEADS: dict[State, str] = {
    "ok": "Every part that was tested works.",
    "warn": "It works; something wants a look.",
    "bad": "Something does not work.",
    "skipped": "Nothing was tested.",
}
EXPLAINED = (
    "This page is drawn from the report that the unit signed, which is in this file as report.json. What was signed is what the unit itself"
    " saw at that moment: it shows that the parts worked then, not that they do today, and not that nobody else held them. Check it"
    " with: roadproof verify FILE --root root.pem. The check prints what was signed; the page around it proves nothing by itself."
)
MM_MARK, MM_PART, MM_LINE = 14, 26, 4.2
MM_QR, QUIET_MODULES = 26, 4
FACTS_SHOWN = 8


def pdf(paper: Paper) -> bytes:
    """The page of a report, as a PDF; nothing is checked but its shape. EvidenceError when it is no report."""
    from fpdf import FPDF

    said = report.read(encode(paper.rec))
    page = FPDF(format="A4")
    page.set_margin(15)
    page.set_auto_page_break(auto=True, margin=12)
    page.set_title(_latin(f"Commissioning report of {said.unit}"))
    page.set_creator("Roadproof")
    page.set_creation_date(datetime.fromtimestamp(utc_ms(said.t.wall) / 1000, UTC))
    page.add_page()
    _head(page, said, paper.fingerprint)
    for line in said.findings:
        _finding(page, line)
    _board(page, said)
    _foot(page, paper)
    page.embed_file(
        basename=EMBEDDED, bytes=report.write_paper(paper), mime_type="application/json", desc="the signed report", compress=True
    )
    return bytes(page.output())


def extract(data: bytes) -> Paper:
    """The signed report in a PDF or in a report.json; EvidenceError when it holds none, or two."""
    if not data.startswith(PDF):
        return report.read_paper(data)
    if len(data) > MAX_PDF_BYTES:
        raise EvidenceError("the PDF is too long for a unit's report: ask for it again")
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError, PyPdfError
    except ImportError:  # a unit draws PDFs and reads none
        raise EvidenceError("the PDF cannot be read on this machine: check report.json, or the PDF in the office") from None
    try:
        held = PdfReader(io.BytesIO(data)).attachment_list
        found = [_unpacked(one) for one in held if EMBEDDED in (one.name, one.alternative_name)]
    except EvidenceError:
        raise
    except (PyPdfError, DependencyError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        raise EvidenceError(f"the PDF cannot be read ({type(error).__name__}): ask for it again") from None
    if len(found) != 1:
        raise EvidenceError(f"the PDF holds {len(found)} files named {EMBEDDED}: a report of a unit holds one")
    return report.read_paper(found[0])


def _unpacked(file: EmbeddedFile) -> bytes:
    """What an embedded file holds, packed as ours are or not at all; another packing would have pypdf run a picture's decoder over it."""
    streams = cast("dict[str, PdfObject]", file.pdf_object["/EF"])
    for stream in [streams[key].get_object() for key in ("/F", "/UF") if key in streams]:
        if cast("dict[str, object]", stream).get("/Filter", FLATE) not in (FLATE, [FLATE]):
            raise EvidenceError(f"{EMBEDDED} in the PDF is packed in another way than a unit does it: ask for the report again")
    return bytes(file.content)


def spoken(fingerprint: str) -> str:
    """The first 128 bits of a fingerprint in groups, for two people to compare."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, 32, 4))


def _head(page: FPDF, said: Report, fingerprint: str) -> None:
    _qr(page, f"Roadproof report {said.unit} {fingerprint}")
    page.set_font("Helvetica", "B", 18)
    page.cell(0, 9, "Commissioning report", new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "B", 13)
    vehicle = f"  (vehicle {said.vehicle})" if said.vehicle and said.vehicle != said.unit else ""
    page.cell(0, 7, _latin(f"Unit {said.unit}{vehicle}"), new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "", 9)
    for text in (f"{said.t.wall}, clock: {said.t.src}", _place(said), f"Firmware {said.fw}, report {said.id}"):
        page.cell(0, 4.6, _latin(text), new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "B", 11)
    page.set_text_color(*INK[said.state])
    page.cell(0, 9, HEADS[said.state], new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(0)


def _place(said: Report) -> str:
    if said.pos is None:
        return "Position not known"
    return f"Position {said.pos.lat_e7 / 1e7:.5f}, {said.pos.lon_e7 / 1e7:.5f} (WGS 84)"


def _finding(page: FPDF, line: Line) -> None:
    """The mark, the part, the sentence, and its figures in small print."""
    figures = "   ".join(f"{key} {'-' if value is None else value}" for key, value in list(line.facts.items())[:FACTS_SHOWN])
    page.set_draw_color(203, 212, 221)
    page.line(page.l_margin, page.get_y(), page.w - page.r_margin, page.get_y())
    page.set_y(page.get_y() + 1)
    page.set_font("Helvetica", "B", 9)
    page.set_text_color(*INK[line.state])
    page.cell(MM_MARK, MM_LINE, WORDS[line.state])
    page.set_text_color(0)
    page.cell(MM_PART, MM_LINE, line.key)
    left = page.get_x()
    page.set_font("Helvetica", "", 9)
    page.multi_cell(0, MM_LINE, _latin(line.text), new_x="LMARGIN", new_y="NEXT", align="L")
    if figures:
        page.set_x(left)
        page.set_font("Helvetica", "", 7)
        page.set_text_color(*INK["skipped"])
        page.multi_cell(0, 3, _latin(figures), new_x="LMARGIN", new_y="NEXT", align="L")
        page.set_text_color(0)
    page.set_y(page.get_y() + 1)


def _board(page: FPDF, said: Report) -> None:
    page.set_y(page.get_y() + 2)
    page.set_font("Helvetica", "B", 9)
    page.cell(0, 5, "Parts that the unit saw", new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "", 7.5)
    told = "; ".join(f"{part}: {text}" for part, text in said.board.items())
    page.multi_cell(0, 3.4, _latin(told or "none"), new_x="LMARGIN", new_y="NEXT", align="L")


def _foot(page: FPDF, paper: Paper) -> None:
    page.set_y(page.get_y() + 3)
    page.set_font("Courier", "", 8)
    page.cell(0, 4, f"Fingerprint of report and signature: {spoken(paper.fingerprint)}", new_x="LMARGIN", new_y="NEXT")
    page.cell(0, 4, f"Certificate of the unit:             {spoken(sha256_of(encode(paper.unit)))}", new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", "", 7.5)
    page.set_text_color(*INK["skipped"])
    page.multi_cell(0, 3.4, EXPLAINED, new_x="LMARGIN", new_y="NEXT", align="L")


def _qr(page: FPDF, text: str) -> None:
    """The code in the upper corner on the right, as filled squares: sharp at any size."""
    import segno

    matrix = segno.make(text, error="m", micro=False).matrix
    side = MM_QR / (len(matrix) + 2 * QUIET_MODULES)
    left, top = page.w - page.r_margin - MM_QR, page.t_margin
    page.set_fill_color(0)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                page.rect(left + (x + QUIET_MODULES) * side, top + (y + QUIET_MODULES) * side, side, side, style="F")


def _latin(text: str) -> str:
    """With a question mark for each letter that the printer's own fonts lack; report.json has the letter."""
    plain = text.translate({0x2013: "-", 0x2014: "-", 0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2026: "..."})
    return plain.encode("latin-1", "replace").decode("latin-1")
