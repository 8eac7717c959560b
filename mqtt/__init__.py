"""What both ends agree on: the wire."""
