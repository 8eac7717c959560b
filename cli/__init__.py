"""What you can type: the `roadproof` command."""
