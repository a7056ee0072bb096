"""Give memory that nothing uses any more back to the system.

Allocators keep what was let go for whoever asks next. After a close of a million contracts that are two gigabytes,
which the close's own next step would come on top of, and which a service would have until it ends.
"""

import ctypes

import pyarrow as pa


def release_memory() -> None:
    """Worth a call where a great deal was let go: it takes some hundredths of a second."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others have no need of it
    if trim is not None:
        trim(0)
