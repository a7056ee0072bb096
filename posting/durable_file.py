"""Give a file its name once: whole, on the disk, and never over another file.

The bytes are written and synced under a temporary name in the same directory; a hard link then gives them their own.
A link never replaces a file, which a rename would, so two writers cannot both believe they were first. Until the link
is made nothing has happened; after it, only the directory's sync stands between the name and certainty.
"""

import errno
import os
from pathlib import Path

from ledger.disk import sync_directory
from posting.erp import OutcomeUnknown, Unavailable

NOTHING_WAS_LINKED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMLINK})


def create(path: Path, content: bytes) -> bool:
    """Make `path` hold `content`; False, and nothing is changed, when there is a file of that name."""
    temporary = _write_aside(path, content)
    try:
        made = _link(temporary, path)
    finally:
        _remove(temporary)
    if made:
        try:
            sync_directory(path.parent)
        except OSError as error:
            raise OutcomeUnknown(f"{path} was written, but may not be on the disk: {error}") from error
    return made


def read(path: Path) -> bytes | None:
    """What `path` holds, if there is such a file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error}") from error


def _write_aside(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _make_directory(path.parent)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _remove(temporary)
        raise Unavailable(f"{path} was not written: {error}") from error
    return temporary


def _link(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in NOTHING_WAS_LINKED:
            raise Unavailable(f"{path} was not written: {error}") from error
        raise OutcomeUnknown(f"{path} may or may not be written: {error}") from error
    return True


def _make_directory(directory: Path) -> None:
    """Make `directory` and those above it, each synced into the one that holds it."""
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    sync_directory(directory.parent)


def _remove(temporary: Path) -> None:
    """Remove what a failed write left; a kill leaves it too, under a name that nothing reads."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        return
