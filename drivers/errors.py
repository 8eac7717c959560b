"""The errors that a broken device may raise; everything else is a broken program."""


class DriverError(Exception):
    """A device does not work; the sentence says what and, where it can, what to do."""


class PortGoneError(DriverError, OSError):
    """A serial port is missing, was unplugged or may not be opened."""
