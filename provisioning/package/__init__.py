"""How a blank machine gets the software: Debian packages, the same to the byte from the same commit."""
