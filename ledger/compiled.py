"""Compile the loops that no column operation replaces: they run without the interpreter lock.

What is compiled is kept beside the source, or in the user's cache where that can't be written, so only the first
start on a machine waits for it. Such a loop reads beyond an array's end without a word: tests run all of them with
bounds checked.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

Loop = TypeVar("Loop", bound=Callable[..., Any])
Bytes = NDArray[np.uint8]


def compiled(loop: Loop) -> Loop:
    """`loop` as machine code, made when it is first called."""
    return cast("Loop", numba.njit(nogil=True, cache=True)(loop))


def _address(_typing: Any, array: Any) -> Any:
    """Where the elements of `array` begin."""
    pointer = types.CPointer(array.dtype)  # type: ignore[attr-defined]

    def lowered(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.bitcast(made.data, context.get_value_type(pointer))

    return pointer(array), lowered


address = cast("Callable[..., Any]", intrinsic(_address))


@compiled
def borrowed(array: Any) -> Any:
    """`array` without its owner: a reference was counted at every call it went to, which took ten times the call."""
    return numba.carray(address(array), array.shape)
