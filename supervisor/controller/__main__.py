"""`python -m supervisor.controller`."""

import os
import sys

from supervisor.link.lean import lean_imports

with lean_imports():
    from supervisor.controller.main import main

code = main()
sys.stderr.flush()
# Everything has been closed in order; a worker thread that hangs in a dead disk must not keep the process alive.
os._exit(code)
