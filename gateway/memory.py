"""How a worker's memory is collected, and how the C library hands it back."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's `mallopt`."""

_GC_THRESHOLDS = (100_000, 50, 50)
_MAPPED_FROM_BYTES = 512 * 1024
_TRIMMED_FROM_BYTES = 16 * 1024 * 1024


def collect_rarely() -> None:
    """Leave alone what the start has made, and look at the rest when enough of it is new.

    A batch allocates and frees as much as the default thresholds collect a hundred times over.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def hand_memory_back() -> bool:
    """Keep batches out of the heap, where what outlives them would hold their room for ever.

    glibc raises its thresholds with what a program frees: after a few batches of a megabyte they
    lie in the heap between longer-lived values. Returns whether this C library has the settings.
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    set_both = (
        mallopt(_MMAP_THRESHOLD, _MAPPED_FROM_BYTES),
        mallopt(_TRIM_THRESHOLD, _TRIMMED_FROM_BYTES),
    )
    return all(set_both)
