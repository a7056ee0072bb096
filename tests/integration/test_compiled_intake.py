"""The compiled intake in the world: deep data, an upgrade, a machine where nothing can be kept, and its warm-up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from numba.core.dispatcher import Dispatcher

from metering import extract, fields, grammar, identity, quantity, scan, siphash
from metering.body import LEVELS_MAX
from metering.errors import BodyRefusedError
from metering.intake import IntakeSettings
from meterline.rechecks import extraction_problems
from tests.place import Place, body, counts, event

ROOT = Path(__file__).parents[2]
TEXT = (
    b'{"id":"deep%d","source":"/s","type":"egress","subject":"acme","time":"2026-11-01T12:00:00.000Z",'
    b'"data":{"gb":1,"x":%s}}'
)


def test_data_is_as_deep_as_it_may_be_and_one_too_deep_refuses_no_other(place: Place) -> None:
    taken, refused = range(LEVELS_MAX - 4, LEVELS_MAX - 1), range(LEVELS_MAX - 1, 1_000, 50)
    with place.ledger() as ledger, place.intake(ledger, IntakeSettings(linger_ms=0)) as intake:
        for depth in (*taken, *refused):
            deep = intake.submit("default", TEXT % (depth, b"[" * depth + b"]" * depth))
            innocent = intake.submit("default", body(event(f"innocent{depth}")))
            assert counts(innocent.result(60)) == (1, 0, 0, 0, 0)
            if depth in taken:
                assert counts(deep.result(60)) == (1, 0, 0, 0, 0)
            else:
                with pytest.raises(BodyRefusedError, match="nested too deeply"):
                    deep.result(60)
        checked = extraction_problems(SimpleNamespace(ledger=ledger, relational=place.relational))  # type: ignore[arg-type]
        assert list(ledger.problems(checked)) == []


def test_a_line_that_is_too_deep_is_one_rejection(place: Place) -> None:
    with place.ledger() as ledger, place.intake(ledger) as intake:
        depth = LEVELS_MAX
        lines = [TEXT % (1, b"1"), TEXT % (2, b"[" * depth + b"]" * depth), TEXT % (3, b"1")]
        answer = intake.submit("default", b"\n".join(lines), "application/x-ndjson").result(60)
        assert counts(answer) == (2, 0, 0, 0, 1)
        assert (answer.rejected[0].index, answer.rejected[0].code) == (1, "unreadable")


def signatures() -> dict[str, set[str]]:
    """What each loop is compiled for so far."""
    return {
        f"{loop.py_func.__module__}.{loop.py_func.__name__}": set(map(str, loop.signatures))
        for module in (scan, fields, siphash, quantity, extract, identity, grammar)
        for loop in vars(module).values()
        if isinstance(loop, Dispatcher)
    }


AFTER_THE_WARM_UP = """
import numpy as np
from metering.columns import Admission, Bounds, columns
from metering.events import read_events
from metering.fields import joined
from metering.identity import Hasher, IdentityIndex
from metering.warm import warm_up
from tests.integration.test_compiled_intake import body, event, signatures
hasher = Hasher(b"x")
warm_up(hasher)
before = signatures()
escaped = [event(chr(92)), event("é")]
for some in ([event("1")], [event("1"), event("2")], escaped, [event(str(one)) for one in range(9)]):
    made = columns("", joined([read_events(body(*some), "array", 9)[0]]), Admission(0, {}), hasher, Bounds(), 0)
    stored = np.frombuffer(made.identity.tobytes(), np.uint64).reshape(-1, 2)
    index = IdentityIndex()
    index.remember(stored, np.frombuffer(made.content.tobytes(), np.uint64), np.zeros(len(stored), np.uint32))
    index.find(stored[::-1])
print(sorted(name for name, known in signatures().items() if known - before[name]))
"""


def test_nothing_is_compiled_after_the_warm_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AFTER_THE_WARM_UP], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip().splitlines()[-1:], done.returncode) == (["[]"], 0), done.stderr[-2000:]


def copied(place: Path) -> Path:
    for part in ("metering", "ledger", "rating"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def test_a_loop_is_compiled_again_when_what_it_calls_has_changed(tmp_path: Path) -> None:
    copied(tmp_path)
    code = (
        "from metering.grammar import ESCAPED; from metering.scan import scanned; from metering.warm import EVENT; "
        "print(scanned(EVENT.replace(b'\"d\"', b'\"' + bytes([92]) + b'b\"'), 'one') is None)"
    )

    def is_given_back() -> str:
        kept = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False
        )
        return done.stdout.strip() or done.stderr

    assert is_given_back() == "False"
    file = tmp_path / "metering" / "grammar.py"
    file.write_text(file.read_text().replace("bfnrt'", "fnrt'"))
    assert is_given_back() == "True"


def test_it_starts_where_nothing_can_be_kept(tmp_path: Path) -> None:
    copied(tmp_path)
    nowhere = tmp_path / "a file"
    nowhere.touch()
    (tmp_path / "ledger" / "__pycache__").touch()  # a file where a folder should be: root can't write there either
    bare = {"HOME": str(nowhere), "PATH": os.environ["PATH"]}
    code = "from metering.scan import scanned; from metering.warm import EVENT; print(scanned(EVENT, 'one').size)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "1", done.stderr[-500:]
