"""What this software calls itself: in its records, its packages, and when it is asked."""

VERSION = "0.1.0"
