"""The GNSS receiver: serial bytes in, epochs out."""
