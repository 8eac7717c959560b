"""The driver's day, decided without a clock, a thread or a file."""
