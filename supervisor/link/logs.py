"""Log lines of all three processes in one form on one stream, so that they can be read as one story."""

import contextlib
import io
import logging
import os
import sys
from typing import Any, Literal

import structlog

LogFormat = Literal["console", "json"]


class _Lossy(io.RawIOBase):
    """Standard error that loses what a full disk or a closed pipe does not take: no log line stops a process."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def isatty(self) -> bool:
        return os.isatty(2)

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        size = len(view)
        with contextlib.suppress(OSError):
            while view:
                view = view[os.write(2, view) :]
        return size


def configure_logs(form: LogFormat, process: str) -> None:
    """Send every log line, of our own and of libraries, to standard error; `process` names who speaks."""
    if sys.stderr is sys.__stderr__:
        sys.stderr = io.TextIOWrapper(_Lossy(), "utf-8", "backslashreplace", write_through=True)  # pyright: ignore[reportArgumentType]  (needs only what it has)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), sort_keys=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    rendered: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, last]
    structlog.configure(
        processors=[*shared, *(rendered if form == "json" else [last])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process, pid=os.getpid())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
