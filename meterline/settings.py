"""Read the settings once, from meterline.toml and METERLINE_* variables; what is unknown or malformed is an error.

Every limit has a unit in its name. Below the wiring, values are passed, never the settings.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

PREFIX = "METERLINE_"
Positive = Annotated[int, Meta(ge=1)]
Places = Annotated[int, Meta(ge=1, le=2**30)]
"""Bytes of a text in which places are integers of 32 bits."""
NotNegative = Annotated[int, Meta(ge=0)]


class SettingsError(Exception):
    """A setting that is unknown or malformed; the message says which and what was expected."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that may be set, with its default."""

    data: str = "meterline-data"
    """Directory of the ledger."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    erp_directory: str = ""
    """Where the file ERP keeps its documents; empty: `erp` in the data directory."""
    relational_url: str = ""
    """SQLAlchemy address of the relational store; empty: a SQLite file in the data directory."""
    clickhouse_host: str = ""
    """A ClickHouse server; empty: the engine in this process, in the data directory."""
    clickhouse_port: Positive = 8123
    clickhouse_username: str = "default"
    clickhouse_password: str = ""
    query_memory_bytes_max: Positive = 4 * 2**30
    body_bytes_max: Places = 32 * 2**20
    request_events_max: Positive = 200_000
    inflight_bytes_max: Positive = 256 * 2**20
    catalog_needs_review: bool = False
    """Whether `apply` stores a draft, which a second person approves, instead of the catalog's next version."""
    header_seconds_max: Positive = 10
    """How long the headers of a request may take to arrive."""
    body_seconds_max: Positive = 30
    """How long a body may take to arrive."""
    block_events_max: Positive = 200_000
    block_bytes_max: Places = 128 * 2**20
    linger_ms: NotNegative = 20
    """How long a block waits for more events."""
    late_days_max: Positive = 400
    ahead_s_max: NotNegative = 300
    usage_lag_events_max: Positive = 500_000
    """How many accepted events may wait before usage is derived under load."""
    quiet_s: Positive = 5
    """How long without events until what was put off is done: usage, and the merges of large parts."""
    rating_processes: Positive = 1
    """How many processes rate a period at its close: this one, and workers that it starts."""

    @property
    def data_directory(self) -> Path:
        """The data directory as a path."""
        return Path(self.data)


def load(environment: Mapping[str, str], file: Path | None = None, **given: Any) -> Settings:
    """The settings from `file` (meterline.toml here, if there is one), then `environment`, then what is `given`."""
    path = file or Path("meterline.toml")
    values: dict[str, Any] = {}
    if file is not None or path.exists():
        try:
            values = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:  # not TOML, or not UTF-8
            raise SettingsError(f"{path}: {error}") from error
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    for name, text in environment.items():
        if name.startswith(PREFIX):
            values[name.removeprefix(PREFIX).lower()] = text
    values |= {name: value for name, value in given.items() if value is not None}
    for name in values:
        if name not in known:
            raise SettingsError(f"unknown setting {name}: expected one of {', '.join(known)}")
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings: {error}") from error
    if "?" in str(settings.data_directory.absolute()):
        # The embedded engine takes what follows it for settings of its own, and would put its files elsewhere.
        raise SettingsError(f"data {settings.data}: expected a directory without a question mark in its path")
    return settings


def from_process(**given: Any) -> Settings:
    """The settings of this process."""
    return load(os.environ, **given)
