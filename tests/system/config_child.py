"""`roadproof run` of a product that forgot how to go on with the last good settings.

python -m tests.system.config_child run --config FILE
"""

from __future__ import annotations

import sys

from cli.main import main
from firmware import config

config.load_good = lambda path: None  # noqa: ARG005  as the real one

if __name__ == "__main__":
    sys.exit(main())
