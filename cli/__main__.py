"""`python -m cli` is the `roadproof` command."""

import sys

from cli.main import main

sys.exit(main())
