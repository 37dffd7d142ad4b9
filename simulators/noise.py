"""Chance without memory: the same seed, name and index give the same numbers, whatever was asked before.

Philox is a counter-based generator: its bits are a function of a key and a counter, so any point of an
endless series can be computed alone. NumPy promises the raw bits of Philox for every version, but not how
it makes normal numbers of them; so that part is done here (Box and Muller).
"""

from __future__ import annotations

import math
from functools import lru_cache
from zlib import crc32

import numpy as np
import numpy.typing as npt

BLOCK = 256
"""How many white steps are made at once; neighbours in time are nearly always asked for together."""

REACH_TAUS = 6
"""An AR(1) series is cut off where its memory has fallen to exp(-6), a quarter of a per cent."""


def uniforms(seed: int, name: str, index: int, count: int) -> npt.NDArray[np.float64]:
    """`count` numbers evenly spread over 0 (never quite) to 1, for this seed, name and index."""
    key = np.array([seed % 2**64, crc32(name.encode())], dtype=np.uint64)
    counter = np.array([0, index % 2**64, 0, 0], dtype=np.uint64)
    raw = np.random.Philox(key=key, counter=counter).random_raw(count)
    return (np.asarray(raw, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54


def normals(seed: int, name: str, index: int, count: int) -> npt.NDArray[np.float64]:
    """`count` independent normal numbers of mean 0 and SD 1, for this seed, name and index."""
    u = uniforms(seed, name, index, 2 * count)
    drawn: npt.NDArray[np.float64] = np.sqrt(-2.0 * np.log(u[:count])) * np.cos(2.0 * math.pi * u[count:])
    return drawn


def wander(seed: int, name: str, step: int, tau_steps: float) -> float:
    """The value at `step` of an AR(1) series of mean 0, SD 1 and time constant `tau_steps`.

    It is a weighted sum of the last `REACH_TAUS * tau_steps` white steps, so it needs no history.
    """
    weights = _memory(tau_steps)
    first = step - len(weights) + 1
    blocks = range(first // BLOCK, step // BLOCK + 1)
    white = np.concatenate([_white(seed, name, block) for block in blocks])
    begin = first - blocks[0] * BLOCK
    return float(weights @ white[begin : begin + len(weights)])


@lru_cache(maxsize=2048)
def _white(seed: int, name: str, block: int) -> npt.NDArray[np.float64]:
    return normals(seed, name, block, BLOCK)


@lru_cache(maxsize=64)
def _memory(tau_steps: float) -> npt.NDArray[np.float64]:
    ages = np.arange(math.ceil(REACH_TAUS * tau_steps))[::-1]
    weights = np.exp(-ages / tau_steps)
    normed: npt.NDArray[np.float64] = weights / np.sqrt(weights @ weights)
    return normed
