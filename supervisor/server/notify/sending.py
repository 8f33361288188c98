"""Sending: a message to a web hook or a mail server, with an answer that says whether to try again (blocking)."""

import hashlib
import hmac
import http.client
import json
import smtplib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

from supervisor.server.notify.outbox import Message
from supervisor.server.notify.table import Mail, Target, WebHook

TIMEOUT_S = 10.0
LATER = frozenset({408, 425, 429})
"""Statuses of a client's fault that pass by themselves (RFC 9110, RFC 6585)."""
SUBJECT_LENGTH = 150


class SendingError(Exception):
    """It did not arrive.

    Args:
        reason: why.
        for_good: trying again is of no use.
    """

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good


def send(target: Target, tool: str, messages: Sequence[Message]) -> None:
    """Send messages to one receiver, several as one.

    Raises:
        SendingError: they did not arrive.
    """
    try:
        if isinstance(target, WebHook):
            _post(target, tool, messages)
        elif isinstance(target, Mail):
            _mail(target, tool, messages)
    except smtplib.SMTPResponseException as error:
        reason = f"{error.smtp_code} {_plain(error.smtp_error)}"
        raise SendingError(reason, for_good=error.smtp_code >= 500) from error
    except (OSError, http.client.HTTPException, smtplib.SMTPException) as error:
        raise SendingError(str(error) or type(error).__name__) from error


def _post(hook: WebHook, tool: str, messages: Sequence[Message]) -> None:
    body = json.dumps({"tool": tool, "messages": [_public(one) for one in messages]}, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "cvd-supervisor"}
    # A receiver that gets a message twice, since its answer was lost, knows it by its id.
    headers["Idempotency-Key"] = hashlib.sha256("".join(one.id for one in messages).encode()).hexdigest()
    if hook.secret_file:
        secret = Path(hook.secret_file).read_bytes().strip()
        headers["X-CVD-Signature"] = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
    address = urlsplit(hook.url)
    secured = address.scheme == "https"
    if secured:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)
    try:
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(65536)
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        for_good = 300 <= answer.status < 500 and answer.status not in LATER
        raise SendingError(f"{answer.status} {answer.reason}", for_good=for_good)


def _mail(mail: Mail, tool: str, messages: Sequence[Message]) -> None:
    first = max(messages, key=lambda one: one.severity)
    more = f" (+{len(messages) - 1})" if len(messages) > 1 else ""
    letter = EmailMessage()
    letter["Subject"] = f"{tool}: {_one_line(first.subject)}{more}"[:SUBJECT_LENGTH]
    letter["From"], letter["To"] = mail.sender, ", ".join(mail.to)
    letter["Date"] = format_datetime(_moment(first))
    letter["Message-ID"] = f"<{first.id}@cvd-supervisor>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n\n".join(f"{_moment(one):%Y-%m-%d %H:%M:%S} UTC\n{one.text}" for one in messages) + "\n")
    with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            server.login(mail.user, Path(mail.password_file).read_text(encoding="utf-8").strip())
        server.send_message(letter)


def _public(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "time": _moment(message).isoformat(),
        "severity": message.severity,
        "kind": message.kind,
        "subject": message.subject,
        "text": message.text,
    }


def _moment(message: Message) -> datetime:
    return datetime.fromtimestamp(message.time_ns / 1e9, UTC)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _plain(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
