"""Keep the machine code of loops in a place for each state of the source: a loop holds what it calls in other modules.

Each change of the source leaves a place behind, so those that no start has used for a while are removed. Another
version may run beside this one: what was used lately stays, and whoever loses a place all the same compiles once more.
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("ledger", "metering", "rating")
"""Where there are loops."""

UNUSED_S_MAX = 7 * 86_400
LEFT = ".unused"
PLACE = re.compile(rf"meterline-[0-9a-f]{{16}}({re.escape(LEFT)})?")


def place() -> Path | None:
    """Where the machine code of this source is: beside it or in the user's cache; None where nothing can be written."""
    sources = hashlib.blake2b(digest_size=8)
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        sources.update(file.read_bytes())
    own = os.environ.get("NUMBA_CACHE_DIR")
    bases = [Path(own)] if own else [Path(__file__).parent / "__pycache__", Path("~/.cache")]
    return place_in(bases, f"meterline-{sources.hexdigest()}")


def place_in(bases: Sequence[Path], name: str) -> Path | None:
    """The place `name` in the first of `bases` that can be written; used now."""
    for base in bases:
        with contextlib.suppress(OSError, RuntimeError):  # not writable, or nobody's home
            directory = base.expanduser() / name
            directory.mkdir(parents=True, exist_ok=True)
            os.utime(directory)
            tempfile.TemporaryFile(dir=directory).close()
            _remove_unused(directory.parent)
            return directory
    return None


def _remove_unused(base: Path) -> None:
    """Remove every place that was not used lately.

    It gets another name first, in one step: whoever begins to use it at this moment finds all of it or nothing, and
    makes it again.
    """
    for unused in sorted(base.iterdir()):
        with contextlib.suppress(OSError):  # not ours, or another start was faster
            if PLACE.fullmatch(unused.name) and time.time() - unused.stat().st_mtime > UNUSED_S_MAX:
                left = unused if unused.suffix == LEFT else unused.rename(unused.with_suffix(LEFT))
                shutil.rmtree(left)
