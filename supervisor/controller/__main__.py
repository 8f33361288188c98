"""`python -m supervisor.controller`."""

import sys

from supervisor.controller.main import main

sys.exit(main())
