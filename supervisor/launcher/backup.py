"""A data folder as one archive with a digest of every file, and back; whole or not at all."""

import hashlib
import io
import json
import os
import shutil
import tarfile
import time
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any

from supervisor.launcher.errors import DataFolderError
from supervisor.launcher.folder import DataFolder
from supervisor.server.errors import StoreError, StoreLockedError
from supervisor.server.store.opening import FILE_NAME, open_to_read

MANIFEST = "cvd-backup.json"
FORMAT = 1
MODES = 0o777
CHUNK = 1 << 20
GREATEST_MANIFEST = 256 << 20
LEFT_OUT = {"lock", "users.toml.lock", "ready.json", ".ballast"}
"""What a daemon makes anew at its start."""


def back_up(data: Path, output: Path) -> int:
    """Write the archive of a folder that no daemon holds; return how many files are in it.

    Raises:
        DataFolderError: it is no data folder, a daemon holds it, or the archive exists.
        StoreLockedError: another program holds its database.
    """
    if not (data / FILE_NAME).exists():
        raise DataFolderError(f"there is no {data / FILE_NAME}: name the daemon's data folder with --data")
    if output.exists():
        raise DataFolderError(f"{output} exists: give another name with --output")
    if output.resolve().is_relative_to(data.resolve()):
        raise DataFolderError(f"{output} is inside of the data folder: give another place with --output")
    partial = output.with_name(output.name + ".partial")
    with DataFolder(data):
        _not_held(data)
        try:
            fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(fd, "wb") as file:
                count = _write(data, file)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(output)
            _sync(output.absolute().parent)
        finally:
            partial.unlink(missing_ok=True)
    return count


def restore(archive: Path, data: Path) -> int:
    """Put an archive in place as a new data folder, once every digest is proven; return how many files it has.

    Raises:
        DataFolderError: the folder has something in it, or the archive is damaged, hostile or no backup.
    """
    data = data.absolute()
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise DataFolderError(f"{data} is not empty: restore into a new folder")
    partial = data.with_name(f".{data.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True, mode=0o700)
    try:
        try:
            count = _read(archive, partial)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataFolderError(f"{archive} cannot be restored: damaged, or no backup ({error})") from error
        partial.rename(data)
        _sync(data.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return count


def _not_held(data: Path) -> None:
    try:
        open_to_read(data / FILE_NAME).close()
    except StoreLockedError:
        raise
    except StoreError:
        return  # a damaged database is kept as it is: the daemon repairs it when it starts


class _Digesting(io.RawIOBase):
    """A file that is read once: into the archive and into its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha = file, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self.file.read(size)
        self.sha.update(data)
        return data


def _write(data: Path, file: IO[bytes]) -> int:
    files = dict[str, dict[str, Any]]()
    folders = {".": data.stat().st_mode & MODES}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(data.rglob("*")):
            name = path.relative_to(data).as_posix()
            if name in LEFT_OUT or path.suffix == ".tmp" or path.is_socket():
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise DataFolderError(f"{path} is neither a file nor a folder: take it out of the data folder")
            state = path.stat()
            if path.is_dir():
                folders[name] = state.st_mode & MODES
                continue
            with path.open("rb") as source:
                reader = _Digesting(source)
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime, entry.mode = state.st_size, int(state.st_mtime), state.st_mode & MODES
                tar.addfile(entry, reader)
                files[name] = {"sha256": reader.sha.hexdigest(), "bytes": entry.size, "mode": entry.mode}
        text = json.dumps(
            {
                "format": FORMAT,
                "software": version("cvd-supervisor"),
                "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "folders": folders,
                "files": files,
            }
        ).encode()
        # The digest line notices damage of the manifest itself.
        text += b"\n" + hashlib.sha256(text).hexdigest().encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(text), 0o600
        tar.addfile(entry, io.BytesIO(text))
    return len(files)


def _read(archive: Path, target: Path) -> int:
    found = dict[str, tuple[str, int]]()
    manifest: dict[str, Any] | None = None
    with tarfile.open(archive, "r:") as tar:
        for entry in tar:
            if manifest is not None:
                raise ValueError("something follows the manifest")
            source = tar.extractfile(entry) if entry.type == tarfile.REGTYPE and not entry.issparse() else None
            if source is None:
                raise ValueError(f"{entry.name!r} is no plain file")
            if entry.name == MANIFEST:
                if entry.size > GREATEST_MANIFEST:
                    raise ValueError("its manifest is too long")
                manifest = _manifest(source.read())
                continue
            _require_inside(entry.name)
            if entry.name in found:
                raise ValueError(f"{entry.name!r} is in it twice")
            found[entry.name] = _put(source, target / entry.name)
    if manifest is None:
        raise ValueError("it has no manifest: it was cut")
    _prove(manifest, found)
    for name in manifest["folders"]:
        if name != ".":
            _require_inside(name)
        (target / name).mkdir(parents=True, exist_ok=True)
    for name, kept in manifest["files"].items():
        (target / name).chmod(kept["mode"] & MODES)
    for name in sorted(manifest["folders"], reverse=True):
        _sync(target / name)
        (target / name).chmod(manifest["folders"][name] & MODES)
    return len(found)


def _manifest(data: bytes) -> dict[str, Any]:
    text, _, sha = data.rpartition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != sha:
        raise ValueError("its manifest is damaged")
    manifest = json.loads(text)
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']} of software {manifest['software']} is not known here")
    return manifest


def _prove(manifest: dict[str, Any], found: dict[str, tuple[str, int]]) -> None:
    promised = {name: (kept["sha256"], kept["bytes"]) for name, kept in manifest["files"].items()}
    wrong = sorted(name for name in promised.keys() | found.keys() if promised.get(name) != found.get(name))
    if wrong:
        raise ValueError(f"{len(wrong)} files are not what was kept: {', '.join(wrong[:5])}")


def _require_inside(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.as_posix() != name or name == "." or "\0" in name:
        raise ValueError(f"{name!r} would lie outside of the folder")


def _put(source: IO[bytes], path: Path) -> tuple[str, int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    sha, size = hashlib.sha256(), 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "wb") as file:
        while data := source.read(CHUNK):
            sha.update(data)
            size += file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return sha.hexdigest(), size


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
