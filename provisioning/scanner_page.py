"""The page to set a hand scanner up by: what to set, and codes to try it with, each with the line that must come.

`python -P -m provisioning.scanner_page` writes hand-scanner.html beside this file. The codes that change a scanner's settings are its
maker's and stand in its manual; a page that showed one maker's would unset another's.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import msgspec

PAGE = Path(__file__).parent / "hand-scanner.html"
GS = "\x1d"
SIZE = re.compile(r'width="(\d+)" height="(\d+)"')  # in modules
LINEAR_MM, MATRIX_MM = 0.4, 0.8  # a module


class Sample(msgspec.Struct, frozen=True):
    """A code to try: how its maker's manual calls it, what to encode, and what a scanner that is set right sends."""

    name: str
    kind: str  # zxing-cpp's name of it
    drawn: str
    text: str
    aim: str
    symbology: str
    gs1: bool = False


SAMPLES = (
    Sample("Code 128", "Code128", "JJD01409988776655", "JJD01409988776655", "]C0", "CODE128"),
    Sample(
        "GS1-128 with a separator",
        "Code128",
        "(01)04006381333931(10)L2606(21)A7",
        f"010400638133393110L2606{GS}21A7",
        "]C1",
        "CODE128",
        gs1=True,
    ),
    Sample("Code 39", "Code39", "PARCEL-0042", "PARCEL-0042", "]A0", "CODE39"),
    Sample("EAN-13", "EAN13", "4006381333931", "4006381333931", "]E0", "EAN13"),
    Sample("QR code", "QRCode", "RR473124829FI", "RR473124829FI", "]Q1", "QRCODE"),
    Sample(
        "GS1 DataMatrix with a separator",
        "DataMatrix",
        "(01)04006381333931(10)L2606(21)A7",
        f"010400638133393110L2606{GS}21A7",
        "]d2",
        "DATAMATRIX",
        gs1=True,
    ),
)
SETTINGS = """
<tr><th>How it is connected</th><td>USB serial, also called CDC or virtual COM port: it loses no character. <em>Simple COM Port
Emulation</em> of some Symbol and Zebra scanners is another keyboard and not this. Where there is no serial mode: USB keyboard (HID),
language US English.</td></tr>
<tr><th>AIM code identifier, as a prefix</th><td>On: it says which kind of code it was. No other prefix.</td></tr>
<tr><th>Suffix</th><td>CR (Enter). No other suffix. A scanner in keyboard mode may send Tab instead.</td></tr>
<tr><th>Separator (FNC1, GS, ASCII 29)</th><td>As it is, as one character. In keyboard mode: as Ctrl+] or Alt+029 (<em>function code
mapping</em>). A scanner that can only replace it sends a sign that no label has, such as <code>|</code>; the unit is then told:
<code>scanner_separator = "|"</code> under <code>[board]</code>.</td></tr>
<tr><th>Upper and lower case</th><td>As encoded. Caps Lock off or <em>automatic</em>.</td></tr>
<tr><th>Kinds of codes</th><td>Code 128, GS1-128, Code 39, EAN/UPC, Interleaved 2 of 5 with 14 digits, QR, DataMatrix, PDF417, Aztec. Check
digits are sent. Off: all others, and ISBT, ISSN and Bookland conversions.</td></tr>
<tr><th>Serial line (RS-232 only)</th><td>9600 baud, 8 data bits, no parity, 1 stop bit, no handshake.</td></tr>
"""
STYLE = """
@page { size: A4; margin: 14mm }
body { font: 10.5pt/1.35 sans-serif; color: #000; max-width: 182mm; margin: 8mm auto }
h1 { font-size: 18pt; margin: 0 0 2mm } h2 { font-size: 13pt; margin: 6mm 0 2mm }
table { border-collapse: collapse; width: 100% } th { width: 48mm }
th, td { text-align: left; vertical-align: top; border-top: .3mm solid #999; padding: 1.5mm 2mm 1.5mm 0 }
.code { display: flex; align-items: center; gap: 6mm; border-top: .3mm solid #999; padding: 4mm 0; break-inside: avoid }
.code svg { flex: none } .code div { flex: 1 }
code, pre { font: 9.5pt monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 1mm 0 }
"""


def expected(sample: Sample) -> str:
    """What `roadproof scanner` prints for it, without the device."""
    return json.dumps({"text": sample.text, "symbology": sample.symbology, "aim_id": sample.aim}, ensure_ascii=False)[1:-1]


def drawing(sample: Sample) -> str:
    """Its code as SVG, as large as on a parcel's label."""
    import zxingcpp

    options = {"gs1": True} if sample.gs1 else {}
    drawn: str = zxingcpp.create_barcode(sample.drawn, getattr(zxingcpp.BarcodeFormat, sample.kind), **options).to_svg(scale=1)
    width, height = (int(side) for side in SIZE.search(drawn).groups())  # type: ignore[union-attr]  # every drawing has its size
    module_mm = MATRIX_MM if width == height else LINEAR_MM
    inner = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    return f'<svg viewBox="0 0 {width} {height}" width="{width * module_mm:.1f}mm" height="{height * module_mm:.1f}mm">{inner}'


def page() -> str:
    """The whole page."""
    codes = "\n".join(
        f"<section class=code>{drawing(sample)}<div><b>{sample.name}</b><pre>{html.escape(expected(sample))}</pre></div></section>"
        for sample in SAMPLES
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Roadproof: set a hand scanner up</title><style>{STYLE}</style></head><body>
<h1>Set a hand scanner up</h1>
<p>Print this page on A4 in its own size (100&nbsp;%). The codes that change settings are in the scanner's manual: begin with
<em>factory defaults</em>, then set these.</p>
<h2>1. What to set</h2>
<table>{SETTINGS}</table>
<h2>2. Try it</h2>
<p>On the unit, plug the scanner in, stop the firmware (<code>sudo systemctl stop roadproof</code>: it holds the scanner), and start</p>
<pre>roadproof scanner</pre>
<p>Scan each code below. The line that is printed must hold what stands beside the code, sign for sign:
<code>\\u001d</code> is the separator. <em>aim_id</em> <code>null</code>: the AIM identifier is off. A separator that is missing, or another
sign in its place: see the table. Letters changed places (z and y, q and a): the keyboard's language. Ctrl-C ends it; then
<code>sudo systemctl start roadproof</code>.</p>
{codes}
</body></html>
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.name)


if __name__ == "__main__":
    main()
