"""What the terminal decides and remembers."""
