"""Holds the shape of the code: who imports whom, what the emitter needs, and what a module may be.

Modules are parsed, not imported, so an import inside a function or under TYPE_CHECKING counts like any other.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = frozenset({"metering", "rating", "posting"})
PACKAGES = frozenset({"ledger", "meterline", "bench", "tests"}) | STAGES
MAY_IMPORT = {
    "ledger": frozenset[str](),
    "metering": frozenset({"ledger"}),
    "rating": frozenset({"ledger"}),
    "posting": frozenset({"ledger"}),
    "meterline": STAGES | {"ledger"},
    "bench": PACKAGES - {"tests"},  # the wheel carries bench and leaves tests behind
    "tests": PACKAGES,
}
EMITTER = "metering.emitter"
EMITTER_MAY_IMPORT = sys.stdlib_module_names | {"msgspec"}
EXACT = frozenset({"ledger", "rating", "posting"})
NAMES_OF_NOTHING = frozenset({"utils", "util", "common", "helpers", "helper", "base", "misc"})
LINES_MAX = 400


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level package that the module belongs to."""
        return self.name.partition(".")[0]

    @property
    def home(self) -> str:
        """The package that the module's relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def imports(self) -> Iterator[str]:
        """Every dotted name that the module imports, wherever in it the import stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = _origin(node, self.home)
                yield from (f"{origin}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
                yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def _origin(node: ast.ImportFrom, home: str) -> str:
    parents = home.split(".")
    above = parents[: len(parents) + 1 - node.level] if node.level else []
    return ".".join([*above, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@cache
def modules() -> dict[str, Module]:
    """Every module of the project, by name."""
    found = {}
    for path in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module(name, path, ast.parse(path.read_text(), str(path)))
    return found


def forbidden_imports(module: Module) -> list[str]:
    """What `module` imports across packages and should not."""
    allowed = MAY_IMPORT[module.package] | {module.package}
    return [f"{module.name} imports {name}" for name in module.imports() if _top(name) in PACKAGES - allowed]


def _top(name: str) -> str:
    return name.partition(".")[0]


def parse(name: str, source: str) -> Module:
    return Module(name, Path(f"{name.rpartition('.')[2]}.py"), ast.parse(source))


def test_imports_form_a_star_around_the_ledger() -> None:
    assert [line for module in modules().values() for line in forbidden_imports(module)] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ledger.block", "import rating"),
        ("ledger.block", "from metering.wire import Columns"),
        ("rating.kernels", "def f():\n    from posting import invoices"),
        ("posting.invoices", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import meterline.settings"),
        ("metering.admission", "import importlib\nimportlib.import_module('rating.runs')"),
        ("metering.http.app", "from ...rating import runs"),
        ("meterline.cli", "import bench.ingest"),
        ("bench.ingest", "from tests.unit import emitter"),
    ],
)
def test_an_import_against_the_star_is_seen_wherever_it_stands(name: str, source: str) -> None:
    assert len(forbidden_imports(parse(name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("rating.kernels", "from ledger import usage"),
        ("meterline.wiring", "import ledger, metering, rating, posting"),
        ("metering.http.app", "from ..admission import admit"),
        ("tests.unit.test_x", "import bench.ingest"),
    ],
)
def test_an_import_along_the_star_is_allowed(name: str, source: str) -> None:
    assert forbidden_imports(parse(name, source)) == []


def _emitter_reaches() -> tuple[set[str], set[str]]:
    """The project's modules that importing the emitter runs, and the outside names that they import."""
    reached: set[str] = set()
    outside: set[str] = set()
    waiting = [name for name in modules() if name == EMITTER or name.startswith(f"{EMITTER}.")]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += [parent for parent in [name.rpartition(".")[0]] if parent]
        for imported in modules()[name].imports():
            inside = next((n for n in (imported, imported.rpartition(".")[0]) if n in modules()), None)
            if inside:
                waiting.append(inside)
            else:
                outside.add(_top(imported))
    return reached, outside


def test_the_emitter_needs_msgspec_and_the_standard_library_alone() -> None:
    reached, outside = _emitter_reaches()
    assert EMITTER in reached
    assert {name for name in reached if not name.startswith(EMITTER)} <= {"metering"}
    assert outside - EMITTER_MAY_IMPORT == set()


IMPORT_UNDER_GUARD = f"""
import sys

class OnlyTheEmitter:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        allowed = top in sys.stdlib_module_names or top == "msgspec" or name == "metering"
        if not allowed and not name.startswith("{EMITTER}"):
            raise ImportError("the emitter must not import " + name)

# Editable installs bring finders of their own into sys.modules before the guard stands; only new imports matter.
sys.meta_path.insert(0, OnlyTheEmitter())
import {EMITTER}
"""


def test_the_emitter_can_be_imported_where_nothing_else_is_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_UNDER_GUARD], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_module_says_what_it_decides() -> None:
    silent = [m.name for m in modules().values() if m.tree.body and not ast.get_docstring(m.tree)]
    assert silent == []


def test_no_module_is_named_after_nothing() -> None:
    assert [name for name in modules() if NAMES_OF_NOTHING & set(name.split("."))] == []


def test_no_module_is_longer_than_one_subject() -> None:
    lengths = {module.name: len(module.path.read_text().splitlines()) for module in modules().values()}
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


def _floats(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in {"float", "float32", "float64"}:
            yield f"{module.path}:{node.lineno}"


def test_no_float_is_made_where_quantities_and_money_are_exact() -> None:
    assert [place for m in modules().values() if m.package in EXACT for place in _floats(m)] == []
    assert len(list(_floats(parse("rating.kernels", "import numpy as np\nnp.float64(float('1'))")))) == 2
