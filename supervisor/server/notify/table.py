"""Whom to reach, about what and when: table `[server.notify]` of the settings file.

[server.notify]
language = "de"

[[server.notify.webhooks]]
name = "chat"
url = "https://chat.fab.example/hook"
least_severity = 500

[[server.notify.mails]]
name = "crew"
host = "mail.fab.example"
sender = "cvd-1@fab.example"
to = ["crew@fab.example"]
about = ["trips", "runs"]

[[server.notify.quiet]]
begin = "22:00"
end = "06:00"
below = 900
"""

from datetime import time
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.base import Model

Subject = Literal["trips", "alarms", "runs", "system"]
SUBJECTS: tuple[Subject, ...] = ("trips", "alarms", "runs", "system")
Language = Literal["en", "de"]


def _clock(text: str) -> str:
    time.fromisoformat(text)
    return text


ClockTime = Annotated[str, Field(pattern=r"^\d\d:\d\d$", examples=["22:00"]), AfterValidator(_clock)]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=254)]


class Target(Model):
    """What every receiver has."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
    about: tuple[Subject, ...] = SUBJECTS
    least_severity: Annotated[int, Field(ge=1, le=1000)] = 400
    """Of the event: critical 900, high 700, medium 500, low 200; the end of a run is told whatever its severity."""
    per_hour: Annotated[int, Field(ge=1, le=3600)] = 30
    """Messages at most; what comes beyond waits and goes together in one."""


class WebHook(Target):
    """A URL that takes JSON by POST."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$", max_length=2000)]
    secret_file: str = ""
    """File with a secret: the body's HMAC-SHA256 goes along as `X-CVD-Signature`."""


class Mail(Target):
    """A mail server and who gets its mail."""

    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    starttls: bool = False
    sender: Address
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)]
    user: str = ""
    password_file: str = ""


class Quiet(Model):
    """Hours in which only what is severe is told; the rest waits for their end."""

    begin: ClockTime
    end: ClockTime
    below: Annotated[int, Field(ge=1, le=1001)] = 900
    """Severities below this wait."""


class NotifyTable(Model):
    """The whole table; without receivers nobody is told anything."""

    language: Language | None = None
    """Left out: that of `[server.display]`."""
    webhooks: tuple[WebHook, ...] = ()
    mails: tuple[Mail, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    give_up_h: Annotated[float, Field(gt=0, le=720)] = 48.0
    """A message that has not arrived after so long is put aside."""

    @property
    def targets(self) -> dict[str, Target]:
        """Receivers by name; of two with one name the later."""
        return {one.name: one for one in (*self.webhooks, *self.mails)}
