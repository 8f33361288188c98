"""`python -m supervisor.server`."""

import sys

from supervisor.link.lean import lean_imports

with lean_imports():
    from supervisor.server.main import main

sys.exit(main())
