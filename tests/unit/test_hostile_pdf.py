"""A PDF that is no report but an attack on who checks it: one sentence, at once, and no foreign decoder runs."""

from __future__ import annotations

import zlib

import pytest

from mqtt.evidence import EvidenceError
from provisioning.report import MAX_PDF_BYTES, extract


def holding(stream: bytes, packing: str, more: str = "") -> bytes:
    """A PDF with one embedded file report.json, packed as told."""
    objects = [
        b"<</Type/Catalog/Names<</EmbeddedFiles<</Names[(report.json) 2 0 R]>>>>>>",
        b"<</Type/Filespec/F(report.json)/UF(report.json)/EF<</F 3 0 R>>>>",
        f"<</Type/EmbeddedFile/Filter{packing}/Length {len(stream)}{more}>>\nstream\n".encode() + stream + b"\nendstream",
    ]
    pdf, places = b"%PDF-1.4\n", list[int]()
    for number, told in enumerate(objects, 1):
        places.append(len(pdf))
        pdf += f"{number} 0 obj\n".encode() + told + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return pdf + f"xref\n0 4\n0000000000 65535 f \n{table}trailer<</Size 4/Root 1 0 R>>\nstartxref\n{len(pdf)}\n%%EOF".encode()


def test_the_pdf_of_these_tests_is_read_as_far_as_its_file() -> None:
    with pytest.raises(EvidenceError, match="no report of a unit"):
        extract(holding(zlib.compress(b"{}"), "/FlateDecode"))


@pytest.mark.parametrize(
    "packing", ["/JBIG2Decode", "/LZWDecode", "/ASCII85Decode", "[/FlateDecode/FlateDecode]", "[/ASCII85Decode/DCTDecode]"]
)
def test_a_packing_that_no_unit_uses_is_not_unpacked(packing: str) -> None:
    with pytest.raises(EvidenceError, match="packed in another way"):
        extract(holding(b"x", packing))


def test_a_file_that_swells_beyond_measure_is_refused() -> None:
    packer = zlib.compressobj(9)
    swollen = b"".join(packer.compress(bytes(10_000_000)) for _ in range(8)) + packer.flush()
    with pytest.raises(EvidenceError, match="cannot be read"):
        extract(holding(swollen, "/FlateDecode"))


def test_a_pdf_longer_than_any_report_is_not_opened() -> None:
    with pytest.raises(EvidenceError, match="too long"):
        extract(b"%PDF-1.4\n" + bytes(MAX_PDF_BYTES))


@pytest.mark.parametrize(
    "body",
    [
        b"1 0 obj\n<</Type/Catalog/Names<</EmbeddedFiles 2 0 R>>>>\nendobj\n2 0 obj\n<</Kids[2 0 R 2 0 R]>>\nendobj\n",
        b"1 0 obj\n" + b"[" * 50_000 + b"\nendobj\n",
        b"1 0 obj\n<<>>\nendobj\n" * 1_000,
    ],
    ids=["a tree that holds itself", "deep", "the same object again and again"],
)
def test_a_crooked_pdf_is_a_sentence(body: bytes) -> None:
    with pytest.raises(EvidenceError):
        extract(b"%PDF-1.4\n" + body + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n0\n%%EOF")
