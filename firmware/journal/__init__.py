"""The unit's memory: the only SQL in the vehicle.

Two series of numbers, each one table, the number its key: `seq` for events and proofs, `tseq` for fixes. A number is used once in the life
of the journal; a record leaves only on the receiver's receipt, or counted under pressure.
"""

from firmware.journal.commits import Appended, Draft
from firmware.journal.journal import Journal
from firmware.journal.row import JournalError, JournalFullError, JournalInUseError, Row, Series

__all__ = ["Appended", "Draft", "Journal", "JournalError", "JournalFullError", "JournalInUseError", "Row", "Series"]
