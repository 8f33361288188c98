"""`python -m supervisor.server`."""

import sys

# structlog loads rich for coloured tracebacks where it finds it; nothing here prints any, and it costs 3 MB and 0.1 s.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

from supervisor.server.main import main  # noqa: E402 - after the line above

sys.exit(main())
