"""Compile the loops that no column operation replaces: they run without the interpreter lock.

What is compiled is kept beside the source, or in the user's cache where that can't be written, so only the first
start on a machine waits for it. Such a loop reads beyond an array's end without a word: tests run all of them with
bounds checked.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

from ledger.machine_code import place

Loop = TypeVar("Loop", bound=Callable[..., Any])
Bytes = NDArray[np.uint8]

CACHE = place()
"""None where nothing can be written: then each start compiles."""
numba.config.CACHE_DIR = str(CACHE or "")


def compiled(loop: Loop) -> Loop:
    """`loop` as machine code, made when it is first called."""
    return cast("Loop", numba.njit(nogil=True, cache=CACHE is not None)(loop))


def compilable(loop: Loop) -> Loop:
    """`loop` as it is, which compiled loops may call as well: for what runs on int64 and on Python's integers alike."""
    return cast("Loop", register_jitable(forceinline=True)(loop))


def _borrowed(_typing: Any, owned: Any) -> Any:
    """What is read and written through `owned`, without counting who does."""

    def lowered(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _unowned(context, builder, signature.args[0], arguments[0])

    return owned(owned), lowered


def _unowned(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.BaseTuple):  # type: ignore[attr-defined]
        values = cgutils.unpack_tuple(builder, value)
        inside = [_unowned(context, builder, *each) for each in zip(kind.types, values, strict=True)]
        return context.make_tuple(builder, kind, inside)
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = cgutils.get_null_value(array.meminfo.type)
    return array._getvalue()  # noqa: SLF001  numba's own way to read a struct it is building


borrowed = cast("Callable[[Any], Any]", intrinsic(_borrowed))
"""Arrays, and tuples of them, without their owners: references were counted at every call they went to, which took ten
times the call. Whoever calls a compiled loop keeps the arrays alive."""


def _high_product(_typing: Any, _left: Any, _right: Any) -> Any:
    """The upper word of the product of two unsigned words."""

    def lowered(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        word, two_words = (cgutils.ir.IntType(bits) for bits in (64, 128))
        product = builder.mul(*(builder.zext(one, two_words) for one in arguments))
        return builder.trunc(builder.lshr(product, two_words(64)), word)

    return types.uint64(types.uint64, types.uint64), lowered


high_product = cast("Callable[[np.uint64, np.uint64], np.uint64]", intrinsic(_high_product))
"""The upper half of 128 bits: one instruction, where numba has no integers of two words."""
