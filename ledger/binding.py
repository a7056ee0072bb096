"""Bind values to a statement: beside its text, or in it where they are too long for a field of a request.

A server refuses a bound value above 128 KiB (`http_max_field_value_size`, counted in the URL's encoding), and a few
thousand identities or subjects are more. A long list becomes one quoted string in the text, cast to the type that its
placeholder names, which is what the engine makes of a bound value too.
"""

import re
from collections.abc import Callable
from typing import Any

from clickhouse_connect.driver.binding import format_bind_value

VALUE_BYTES_MAX = 32 * 1024
"""Three times as long in a URL at worst, which is still within the server's bound."""


def bound(text: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """`text` with the long ones of `values` in it, and the values that are left to travel beside it."""
    beside: dict[str, Any] = {}
    for name, value in values.items():
        written = format_bind_value(value) if isinstance(value, list) else ""
        if len(written.encode()) > VALUE_BYTES_MAX:
            text = re.sub(rf"\{{{name}:([^}}]+)\}}", _cast(written), text)
        else:
            beside[name] = value
    return text, beside


def _cast(written: str) -> Callable[[re.Match[str]], str]:
    # No brace is left in it: placeholders are looked for in the whole text, and a user may have named one.
    quoted = written.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\x7B")
    return lambda placeholder: f"CAST('{quoted}', '{placeholder[1]}')"
