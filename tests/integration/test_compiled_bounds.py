"""Nothing that is compiled reads or writes beyond an array: the laws of all of it, once more with bounds checked."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAWS = (
    "tests/property/test_scan_law.py",
    "tests/property/test_quantity_law.py",
    "tests/property/test_instants_law.py",
    "tests/property/test_intake_laws.py",
    "tests/property/test_identity_law.py",
    "tests/property/test_credit_laws.py",
    "tests/property/test_credit_pools_law.py",
    "tests/unit/metering/test_siphash.py",
    "tests/unit/rating/pricing/test_pieces.py",
    "tests/integration/test_malformed_bodies.py",
)


def test_the_laws_hold_with_bounds_checked(tmp_path: Path) -> None:
    checked = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *LAWS]
    done = subprocess.run(command, cwd=ROOT, env=checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
