"""The way to the fleet and back: what goes when, what comes in, what is sent again."""
