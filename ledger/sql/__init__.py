"""Find statements and migrations by name: every line of ClickHouse SQL is a file of this folder."""

import functools
import hashlib
from importlib import resources


@functools.cache
def statement(name: str) -> str:
    """The text of statement `name`."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_text("utf-8")


def migrations() -> list[tuple[str, str, str]]:
    """Every migration in order: its number, the digest of its text, its text."""
    files = sorted(resources.files(__package__).joinpath("migrations").iterdir(), key=lambda file: file.name)
    texts = [(file.name.split("_")[0], file.read_text("utf-8")) for file in files if file.name.endswith(".sql")]
    return [(number, hashlib.sha256(text.encode()).hexdigest(), text) for number, text in texts]
