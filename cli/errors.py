"""What a command says when it cannot do what was typed."""


class UsageError(Exception):
    """A wrong argument: one clear line, exit code 2."""
