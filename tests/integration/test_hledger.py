"""hledger, which shares no code with us, finds every exported journal balanced, with the sums that we have.

Where it is not installed the same journals are checked by reading them back ourselves, and the run says so at its end;
in CI that is a failure.
"""

import csv
import io
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ledger.charges import CREDIT, DISCOUNT, TAX
from posting.content import Journal, unbalanced
from posting.file_erp import FileErp
from posting.journal import journals
from posting.journal_file import parse
from posting.money import minor_units
from tests.integration.conftest import leave_out
from tests.unit.posting.charging import PAID_BY_CREDIT, SETTLED, TWO_CUSTOMERS, Charge, charges, made

AWKWARD_PRODUCTS = [
    "a  b",
    " lead and tail ",
    "semi; colon",
    "a:b:c",
    "(virtual) [balanced]",
    "\"quoted\" 'too'",
    "= 1 @ 2 @@ 3",
    "* cleared ! pending",
    "{lot} | pipe # hash",
    "Größe 世界 🚀",
    "no\u00a0break\u2003em",
    "100% & more, e.g. a/b",
    "2026-11-30",
    "EUR -5.00",
    "~ > < $ ^ ` \\",
    "date:2026-01-01, tag:value",
    "-",
    "e\u0301 combining",
]
AWKWARD = [
    Charge(f"cust-{number}", amount, product, currency=currency, entity="FR-1")
    for number, product in enumerate(AWKWARD_PRODUCTS)
    for amount, currency in ((number * 37 - 100, "EUR"), (number, "JPY"), (-(10**15) - number, "KWD"))
]
AWKWARDLY_NAMED = [
    made(kind, number + 1, product, currency="CHF")
    for number, product in enumerate(AWKWARD_PRODUCTS)
    for kind in (DISCOUNT, TAX, CREDIT)
]
LINES = [*TWO_CUSTOMERS, *SETTLED, *PAID_BY_CREDIT, *AWKWARD, *AWKWARDLY_NAMED]


@pytest.fixture(scope="module")
def hledger(request: pytest.FixtureRequest) -> str | None:
    found = shutil.which("hledger")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("hledger is not installed: CI has to check journals with it", pytrace=False)
        leave_out(request.config, "hledger is not installed, so journals were checked by our own reader alone")
    return found


@pytest.fixture
def exported(tmp_path: Path) -> dict[Path, Journal]:
    """Journals, by the files that were made of them."""
    erp = FileErp(tmp_path)
    found = {}
    for period in ("2026-11", "2026-12"):
        for journal in journals(charges(LINES), "default", period):
            receipt = erp.post(journal)
            assert receipt.file is not None
            found[Path(receipt.file)] = journal
    return found


def run(hledger: str, file: Path, *arguments: str) -> str:
    done = subprocess.run(
        [hledger, "-f", str(file), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def balances(hledger: str | None, file: Path) -> dict[tuple[str, str], int]:
    """What `file` comes to by account and currency; accounts of nothing are left out."""
    if hledger is None:
        read = parse(file.read_bytes())
        assert isinstance(read, Journal)
        return {place: amount for place, amount in read.balances().items() if amount}
    table = run(hledger, file, "balance", "--flat", "--no-total", "--output-format", "csv", "--layout", "bare")
    sums = {}
    for row in csv.DictReader(io.StringIO(table)):
        if minor_units(row["balance"], row["commodity"]):
            sums[row["account"], row["commodity"]] = minor_units(row["balance"], row["commodity"])
    return sums


def test_every_journal_balances_strictly(hledger: str | None, exported: dict[Path, Journal]) -> None:
    for file in exported:
        if hledger is not None:
            run(hledger, file, "check", "--strict")
        read = parse(file.read_bytes())
        assert isinstance(read, Journal)
        assert unbalanced(read.lines) == []


def test_every_journal_comes_to_our_sums(hledger: str | None, exported: dict[Path, Journal]) -> None:
    for file, journal in exported.items():
        assert balances(hledger, file) == {place: amount for place, amount in journal.balances().items() if amount}


def test_all_journals_of_a_tenant_are_read_at_once(hledger: str | None, exported: dict[Path, Journal]) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for journal in exported.values():
        expected.update(journal.balances())
    tenant = next(iter(exported)).parents[2]
    if hledger is None:
        assert set(tenant.glob("*/*/*.journal")) == set(exported)
        assert "include */*/*.journal\n" in (tenant / "all.journal").read_text()
    else:
        sums = {place: amount for place, amount in expected.items() if amount}
        assert balances(hledger, tenant / "all.journal") == sums


def test_a_journal_that_is_off_by_one_unit_is_refused(hledger: str | None, exported: dict[Path, Journal]) -> None:
    file = next(file for file, journal in exported.items() if journal.entity == "DE01")
    text = file.read_text()
    assert "EUR -85.00" in text
    file.write_text(text.replace("EUR -85.00", "EUR -85.01"))
    with pytest.raises(ValueError, match=r"off by EUR -0\.01"):
        parse(file.read_bytes())
    if hledger is not None:
        done = subprocess.run([hledger, "-f", str(file), "check"], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "EUR -0.01" in done.stderr
