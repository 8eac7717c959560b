"""Attacks on a bundle, each as the files that a liar would hand over, with the words that each verifier must refuse them with."""

from tests.attacks import certificates, files, receipts, records
from tests.attacks.liar import ATTACKS, Attack, Files, openssl_says, unzipped, zipped

__all__ = ["ATTACKS", "Attack", "Files", "certificates", "files", "openssl_says", "receipts", "records", "unzipped", "zipped"]
