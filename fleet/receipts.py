"""The receipt: what the store holds of a journal, and what it asks for again. Pure."""

from __future__ import annotations

import msgspec

from fleet.rows import Holding, SeriesHolding
from mqtt.messages import Held, Receipt, utc_text
from mqtt.ranges import Ranges, Span

RANGES_LIMIT = 50  # of each list in a receipt: about a kilobyte; the rest comes with the next one


PROOFS_LIMIT = 50  # signed receipts in one message: below 40 kB, and brokers take 100


def answer(holding: Holding, at_ms: int) -> Receipt | None:
    """The receipt that a unit is due after a commit; None when it knows already all there is to say."""
    came = holding.born or holding.seq.batch or holding.tseq.batch or holding.proofs or holding.blobs
    if not (came or _behind(holding.seq) or _behind(holding.tseq)):
        return None
    return Receipt(
        unit=holding.unit,
        log=holding.log,
        received=utc_text(at_ms),
        seq=_held(holding.seq),
        tseq=_held(holding.tseq),
        proofs=list(holding.proofs),
        blobs=holding.blobs,
    )


def parts(receipt: Receipt) -> list[Receipt]:
    """The receipt as messages that a broker takes: one, or several after many proofs."""
    later = range(PROOFS_LIMIT, len(receipt.proofs), PROOFS_LIMIT)
    first = msgspec.structs.replace(receipt, proofs=receipt.proofs[:PROOFS_LIMIT])
    return [first, *(msgspec.structs.replace(receipt, proofs=receipt.proofs[at : at + PROOFS_LIMIT], blobs={}) for at in later)]


def missing(series: SeriesHolding) -> list[Span]:
    """Numbers that the unit believes receipted and the store does not hold: a backup was restored."""
    return series.coverage.missing(1, series.ledger.receipted) if series.ledger else []


def _behind(series: SeriesHolding) -> bool:
    """Whether what the unit knows and what is held differ: a receipt was lost, or a backup restored."""
    ledger = series.ledger
    return ledger is not None and (ledger.receipted < series.coverage.upto() or bool(missing(series)))


def _held(series: SeriesHolding) -> Held:
    return Held(
        upto=series.coverage.upto(),
        also=[list(span) for span in _above(series.coverage, series.batch)],
        missing=[list(span) for span in missing(series)[:RANGES_LIMIT]],
    )


def _above(coverage: Ranges, batch: Ranges) -> list[Span]:
    """The ranges above upto; when there are many, those of the batch and then the lowest."""
    upto = coverage.upto()
    above = [span for span in coverage if span[0] > upto]
    if len(above) <= RANGES_LIMIT:
        return above
    fresh = {first for first, last in above if batch.missing(first, last) != [(first, last)]}
    others = [span for span in above if span[0] not in fresh][: max(0, RANGES_LIMIT - len(fresh))]
    return sorted([span for span in above if span[0] in fresh] + others)
