"""A compiled loop is made again when a file that it may have been made of changes."""

import os
import subprocess
import sys
from pathlib import Path

LOOP = """
from ledger.compiled import compilable, compiled
from neighbour import FACTOR

@compilable
def part(value):
    return value * FACTOR

@compiled
def loop(value):
    return part(value) + 1

print(loop(20), part(20), loop.stats.cache_hits[next(iter(loop.signatures))] if loop.stats.cache_hits else 0)
"""


def test_a_change_in_a_neighbouring_file_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "the_loop.py").write_text(LOOP)
    assert [_run(tmp_path, factor) for factor in (2, 2, 3)] == ["41 40 0", "41 40 1", "61 60 0"]


def _run(folder: Path, factor: int) -> str:
    (folder / "neighbour.py").write_text(f"FACTOR = {factor}\n")
    paths = os.pathsep.join([str(folder), str(Path(__file__).parents[3])])
    settings = os.environ | {"PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-c", "import the_loop"]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
