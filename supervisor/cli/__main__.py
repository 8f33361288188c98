"""`python -m supervisor.cli` is `cvd`, also where no script was installed."""

import sys

from supervisor.cli.main import main

sys.exit(main())
