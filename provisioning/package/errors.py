"""What says that a package cannot be made."""


class PackageError(Exception):
    """One sentence: what is wrong, and what to do next."""
