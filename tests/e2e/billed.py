"""Read what was billed: the lines of an invoice, and the accounts of a journal."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any


def lines_of(invoice: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What kind of line each is, what it is called, and what it comes to."""
    return [(line["kind"], line["product"], line["amount"]) for line in invoice["lines"]]


def accounts(file: Path) -> dict[str, str]:
    """What each account of a journal in euros is changed by, in the order of its lines."""
    postings = [line.split("  ;")[0].strip() for line in file.read_text().splitlines() if line.startswith("    ")]
    return {account.strip(): amount for account, _, amount in (line.rpartition(" EUR ") for line in postings)}


def check_balance(file: Path) -> None:
    """A journal balances and declares what it uses, as hledger sees it."""
    if hledger := shutil.which("hledger"):
        checked = subprocess.run([hledger, "-f", file, "check", "--strict"], check=False)
        assert checked.returncode == 0
    else:
        assert not os.environ.get("CI"), "hledger is not installed: CI has to check journals with it"
