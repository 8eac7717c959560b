"""Barcodes in pictures, read in a child process that a hostile picture may kill."""

from drivers.barcode.barcode import Barcode
from drivers.barcode.decoder import Decoder

__all__ = ["Barcode", "Decoder"]
