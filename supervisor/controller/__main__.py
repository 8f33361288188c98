"""`python -m supervisor.controller`."""

import os
import sys

# structlog loads rich for coloured tracebacks where it finds it; nothing here prints any, and it costs 3 MB and 0.1 s.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from supervisor.controller.main import main  # noqa: E402 - after the line above

code = main()
sys.stderr.flush()
# Everything has been closed in order; a worker thread that hangs in a dead disk must not keep the process alive.
os._exit(code)
