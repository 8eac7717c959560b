"""Each part of the unit tried, one sentence a part: imported only when somebody asks for a test."""

LEDGER = "plug.ledger"  # beside the journal while the plug may be pulled: the promises of that drill
