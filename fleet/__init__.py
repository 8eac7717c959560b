"""What the other end runs: receiver, store, receipts, gap report."""
