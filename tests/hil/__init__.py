"""On the bench, with a real Raspberry Pi: `./roadproof test -m hil tests/hil --profile raspberry-pi-4`."""
