"""The users of a tool: `users.toml` in the data folder, with argon2id hashes, readable by its owner only.

The file is not in the database, so that `cvd user` works while the daemon runs; the daemon reads it again when it
has changed. All methods block for tens of milliseconds: on an event loop they belong in a worker thread.
"""

import fcntl
import json
import os
import re
import secrets
import threading
import tomllib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from config.tool import Role
from supervisor.server.errors import UsersError

__all__ = ["Role", "User", "UserStore"]

LEAST_PASSWORD = 8
GREATEST_PASSWORD = 1024
"""Characters; a longer one would only cost time."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
# RFC 9106, section 4, second recommended option, with half of its memory: a login costs about 30 ms on one core of a
# tool controller, and several at once must not push the scan's pages out.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1, type=Type.ID)


@dataclass(frozen=True)
class User:
    """A person who may log in."""

    name: str
    roles: frozenset[Role]
    hash: str
    """Of the password; empty: none is right."""
    certificates: frozenset[str] = frozenset()
    """SHA-256 thumbprints, hexadecimal, of certificates that this person may log in with."""


class UserStore:
    """The users file.

    Args:
        path: `<data>/users.toml`; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}
        self._nobody = ""

    def add(self, name: str, password: str, roles: Iterable[Role | str]) -> None:
        """Add a person, or give one a new password and new roles.

        Raises:
            UsersError: name, password or roles cannot be used.
        """
        if not NAME.fullmatch(name):
            raise UsersError(
                f"{name!r} is no user name: letters, digits, `_`, `.`, `@` and `-`, 64 at most, "
                "beginning with a letter or digit"
            )
        if not LEAST_PASSWORD <= len(password) <= GREATEST_PASSWORD:
            raise UsersError(f"a password has {LEAST_PASSWORD} to {GREATEST_PASSWORD} characters")
        try:
            given = frozenset(Role(role) for role in roles)
        except ValueError as error:
            raise UsersError(f"{error}; there are {', '.join(role.value for role in Role)}") from error
        if not given:
            raise UsersError(f"{name} needs a role: {', '.join(role.value for role in Role)}")
        user = User(name, given, _HASHER.hash(password))
        with self._changing() as users:
            known = users.get(name)
            users[name] = user if known is None else replace(user, certificates=known.certificates)

    def give_certificate(self, name: str, thumbprint: str, roles: Iterable[Role | str] = ()) -> None:
        """Let a person log in with a certificate; one who is not known yet needs roles, and gets no password.

        Raises:
            UsersError: there is nobody of that name, or somebody else has this certificate.
        """
        given = frozenset(Role(role) for role in roles)
        with self._changing() as users:
            other = next((one.name for one in users.values() if thumbprint in one.certificates), name)
            if other != name:
                raise UsersError(f"{other} logs in with this certificate already")
            user = users.get(name)
            if user is None and not (given and NAME.fullmatch(name)):
                raise UsersError(f"there is no user called {name!r}; add one with a role")
            user = user or User(name, given, "")
            users[name] = replace(user, roles=given or user.roles, certificates=user.certificates | {thumbprint})

    def owner(self, thumbprint: str) -> User | None:
        """Return who logs in with a certificate."""
        with self._lock:
            return next((user for user in self._current().values() if thumbprint in user.certificates), None)

    def remove(self, name: str) -> None:
        """Remove a person.

        Raises:
            UsersError: there is nobody of that name.
        """
        with self._changing() as users:
            if name not in users:
                raise UsersError(f"there is no user called {name!r}")
            del users[name]

    def list(self) -> list[User]:
        """Return everybody, by name."""
        with self._lock:
            return [user for _, user in sorted(self._current().items())]

    def verify(self, name: str, password: str) -> frozenset[Role] | None:
        """Return the roles of a person, None when name or password is wrong; an unknown name takes as long."""
        with self._lock:
            user = self._current().get(name)
            if (user is None or not user.hash) and not self._nobody:
                self._nobody = _HASHER.hash(secrets.token_urlsafe(32))
        try:
            right = _HASHER.verify(user.hash if user and user.hash else self._nobody, password[: GREATEST_PASSWORD + 1])
        except (VerificationError, InvalidHashError):
            return None
        return user.roles if right and user and user.hash else None

    @contextmanager
    def _changing(self) -> "Generator[dict[str, User]]":
        """Hold the file against other writers, give its users to be changed, write them back."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            with self._lock:
                users = dict(self._current())
                yield users
                _write(self.path, users)
                self._seen = None
        except OSError as error:
            raise UsersError(f"{self.path} cannot be written: {error.strerror}") from error
        finally:
            os.close(fd)

    def _current(self) -> dict[str, User]:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return {}
        seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._users = _read(self.path)
            self._seen = seen
        return self._users


def _read(path: Path) -> dict[str, User]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            name: User(
                name,
                frozenset(Role(role) for role in entry["roles"]),
                str(entry.get("password", "")),
                frozenset(str(one) for one in entry.get("certificates", ())),
            )
            for name, entry in document.get("users", {}).items()
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsersError(
            f"{path} is damaged ({error}): correct it, or remove it and add the users again with `cvd user add`"
        ) from error
    except OSError as error:
        raise UsersError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, users: dict[str, User]) -> None:
    """Replace the file in one step; a crash leaves the old one or the new one."""
    lines = ["# Users of this tool. Change with `cvd user`; passwords are argon2id hashes.", ""]
    for name, user in sorted(users.items()):
        roles = ", ".join(json.dumps(role.value) for role in sorted(user.roles))
        lines += [f"[users.{json.dumps(name)}]", f"roles = [{roles}]"]
        lines += [f"password = {json.dumps(user.hash)}"] if user.hash else []
        lines += [f"certificates = {json.dumps(sorted(user.certificates))}"] if user.certificates else []
        lines.append("")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
