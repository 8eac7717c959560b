"""Any sequence of what can happen to a journal: every number issued stays accounted for, and what was thinned was counted."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.journal import Journal, Series
from mqtt.ranges import Ranges
from tests.journals import BOOT, DAY_MS, Now, event, fixes_on_card, open_journal, overlapping, points, proof, spans_of_rows, unaccounted

SERIES = st.sampled_from(list(Series))
PART = st.floats(0, 1)  # of what was issued
KEEP_MS = 6 * 3_600_000


class JournalLife(RuleBasedStateMachine):
    """A journal on a real file, in the hands of everybody who may touch it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now = Now()
        self.proofs = set[int]()
        self.signed = set[int]()
        self.journal: Journal
        self.highest = dict.fromkeys(Series, 0)
        self.gave_way = False  # a record left by a receipt or aside: fixes on the card and fixes thinned no longer add up

    @initialize()
    def begin(self) -> None:
        self.journal = open_journal(self.folder, self.now, keep_ms=KEEP_MS)

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)

    def span(self, series: Series, part: float, count: int) -> tuple[int, int]:
        first = 1 + int(part * self.journal.issued(series))
        return first, first + count - 1

    @rule(events=st.integers(0, 3), proofs=st.integers(0, 2), fixes=st.integers(0, 40), later_s=st.integers(0, 20_000))
    def append(self, events: int, proofs: int, fixes: int, later_s: int) -> None:
        self.now.at_ms += later_s * 1_000
        drafts = [event() for _ in range(events)] + [proof(50) for _ in range(proofs)]
        appended = self.journal.append(BOOT, drafts, points(fixes, self.now.at_ms))
        assert appended.seqs == list(range(self.highest[Series.SEQ] + 1, self.highest[Series.SEQ] + 1 + len(drafts)))
        assert appended.tseqs == list(range(self.highest[Series.TSEQ] + 1, self.highest[Series.TSEQ] + 1 + fixes))
        self.proofs.update(appended.seqs[events:])
        self.highest = {series: self.journal.issued(series) for series in Series}

    @rule(series=SERIES, part=PART, count=st.integers(1, 60))
    def acknowledge(self, series: Series, part: float, count: int) -> None:
        self.gave_way = True
        self.journal.acknowledge(series, Ranges([self.span(series, part, count)]))

    @rule(series=SERIES, part=PART)
    def acknowledge_all_up_to(self, series: Series, part: float) -> None:
        self.gave_way = True
        upto = int(part * self.journal.issued(series))
        if upto:
            self.journal.acknowledge(series, Ranges([(1, upto)]))

    @rule(part=PART, count=st.integers(1, 60))
    def release(self, part: float, count: int) -> None:
        first, last = self.span(Series.SEQ, part, count)
        self.journal.release(range(first, last + 1))
        self.signed.update(range(first, last + 1))

    @rule(series=SERIES, part=PART, count=st.integers(1, 60))
    def send_again(self, series: Series, part: float, count: int) -> None:
        first, last = self.span(series, part, count)
        missing = [(first, min(last, self.journal.issued(series)))]
        if missing[0][1] < first:
            return
        gone = self.journal.send_again(series, missing)
        waiting = Ranges((row.number, row.last) for row in self.journal.waiting(series, Ranges(), 10**9))
        for number in range(first, missing[0][1] + 1):
            assert (number in waiting) != (number in Ranges(gone))

    @rule(series=SERIES, part=PART)
    def set_aside(self, series: Series, part: float) -> None:
        self.gave_way = True
        number = 1 + int(part * self.journal.issued(series))
        self.journal.set_aside(series, number, "a test wants it so")
        if series is Series.SEQ:
            self.proofs.discard(number)

    @rule(used=st.sampled_from([0.75, 0.9, 0.97]))
    def press(self, used: float) -> None:
        """What a nearly full store does."""
        before = self.journal.dropped
        self.journal._commits.relieve(at_least=used)
        self.gave_way = self.gave_way or self.journal.dropped.seq != before.seq

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        self.now.at_ms += days * DAY_MS

    @rule()
    def close_and_open(self) -> None:
        self.journal.close()
        self.journal = open_journal(self.folder, self.now, keep_ms=KEEP_MS)
        for series in Series:
            assert self.journal.issued(series) == self.highest[series]

    @invariant()
    def every_number_is_accounted_for(self) -> None:
        for series in Series:
            spans = spans_of_rows(self.folder, series)
            assert not overlapping(spans)
            assert not unaccounted(self.folder, self.journal, series)
            assert not spans or spans[-1][1] <= self.journal.issued(series)

    @invariant()
    def no_proof_is_gone_before_its_receipt(self) -> None:
        receipted = self.journal.receipted(Series.SEQ)
        waiting = {row.number for row in self.journal.waiting(Series.SEQ, Ranges(), 10**9) if row.kind == "pod"}
        assert {number for number in self.proofs if number not in receipted} <= waiting

    @invariant()
    def no_proof_is_gone_before_its_signature(self) -> None:
        assert self.proofs - self.signed <= {row.number for row in self.journal.unsigned()}

    @invariant()
    def what_was_thinned_was_counted(self) -> None:
        if not self.gave_way:
            assert len(fixes_on_card(self.folder)) + self.journal.dropped.tseq == self.journal.issued(Series.TSEQ)


TestJournalLife = JournalLife.TestCase
TestJournalLife.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
