"""Which day a time of day belongs to: century, 1024-week rollover, midnight, and dates that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

ROLLOVER = timedelta(weeks=1024)  # GPS counts weeks in ten bits; old firmware falls back 19.6 years
DAY_S = 86_400
HALF_DAY_S = DAY_S / 2
YEARS_BEFORE_FLOOR = 46  # two-digit years: one century's window, from 1980 for a floor of today
DISPUTES_BEFORE_BELIEF = 3  # damaged dates do not repeat, a receiver that changed its mind does


def step_s(earlier_tod_s: float, later_tod_s: float) -> float:
    """Seconds from one time of day to another, the shorter way round midnight: -43200 to 43200."""
    return (later_tod_s - earlier_tod_s + HALF_DAY_S) % DAY_S - HALF_DAY_S


def moment(day: date, tod_s: float) -> datetime:
    """UTC of a day and a time of day; a leap second 23:59:60 is the next day's 00:00:00, as in POSIX."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(microseconds=round(tod_s * 1e6))


class Calendar:
    """Dates the times of one receiver.

    `not_before` is a day before which no report can have been made: the firmware's build day. It decides the century
    of two-digit years and tells a receiver whose week number rolled over.
    """

    def __init__(self, not_before: date) -> None:
        self._not_before = not_before
        self._century_from_zda: int | None = None
        self._last: datetime | None = None
        self._disputed_days = 0
        self._disputes = 0
        self._is_sure = True

    def repaired(self, day: date, *, has_century: bool) -> date | None:
        """Return the true day of a sentence's date: century chosen, rollovers added; None for no day of our era."""
        try:
            if has_century:
                self._century_from_zda = day.year // 100
            else:
                day = day.replace(year=self._year(day.year % 100))
            while day < self._not_before:
                day += ROLLOVER
        except (ValueError, OverflowError):
            return None
        return day

    def _year(self, two_digits: int) -> int:
        if self._century_from_zda is not None:
            return self._century_from_zda * 100 + two_digits
        earliest = self._not_before.year - YEARS_BEFORE_FLOOR
        return earliest + (two_digits - earliest) % 100

    def expected(self, tod_s: float) -> datetime | None:
        """Return the moment of this time of day that is nearest to the last dated one."""
        if self._last is None:
            return None
        last_tod_s = (self._last - self._last.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
        return self._last + timedelta(microseconds=round(step_s(last_tod_s, tod_s) * 1e6))

    def date(self, tod_s: float, days: list[date], *, certain: bool) -> datetime | None:
        """Return the moment of a time of day, given the repaired dates that its burst states (none, one or more).

        A stated date that contradicts the running count is believed when two sentences state it or when it persists.
        One that is not `certain` (stated without a fix: a battery clock, or a guess) starts no count.
        """
        expected = self.expected(tod_s)
        moments = [moment(day, tod_s) for day in days]
        stated = expected if expected in moments else next(iter(moments), None)
        if not certain:
            return expected or stated
        if stated is None:
            self._last = expected
        elif expected is None or not self._is_sure or moments.count(stated) > 1 or self._persists(stated, expected):
            self._last, self._disputes, self._is_sure = stated, 0, True
        else:
            self._last = expected
        return self._last

    @property
    def is_running(self) -> bool:
        """Whether times can be dated without a stated date."""
        return self._last is not None

    def jump(self, tod_s: float) -> None:
        """Take notice that the receiver's time jumped to this time of day: the next stated date is believed.

        After a jump forward (an outage) the count goes on until then; after one backward it cannot.
        """
        self._is_sure = False
        if (expected := self.expected(tod_s)) is not None and self._last is not None and expected < self._last:
            self._last = None

    def _persists(self, stated: datetime, expected: datetime) -> bool:
        days = (stated - expected).days
        if days == 0:
            self._disputes = 0
            return True
        self._disputes = self._disputes + 1 if days == self._disputed_days else 1
        self._disputed_days = days
        return self._disputes >= DISPUTES_BEFORE_BELIEF
