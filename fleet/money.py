"""Amounts as people write them. A record has them in the currency's smallest unit, and not how many of those make one. Pure."""

from __future__ import annotations

ORDINARY = 2
OTHERS = {  # ISO 4217, list one, minor units that are not two
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"], 0),
    **dict.fromkeys(["XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def written(amount: int, currency: str) -> str:
    """`1,234.50 EUR`, `500 JPY`, `-0.250 KWD`: with the decimals that ISO 4217 gives the currency."""
    digits = OTHERS.get(currency, ORDINARY)
    whole, rest = divmod(abs(amount), 10**digits)
    decimals = f".{rest:0{digits}}" if digits else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{decimals} {currency}"
