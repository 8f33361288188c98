"""`python -m supervisor.server`."""

import sys

from supervisor.server.main import main

sys.exit(main())
