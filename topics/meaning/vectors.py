"""Vectors of unit length in signed bytes, and how near they are to one another."""

from collections.abc import Sequence
from typing import Any

_ONE = 127


def quantized(rows: Any) -> list[bytes]:
    """Return rows of numbers as vectors; a row without length, or with what is no number, points nowhere (zeros)."""
    import numpy as np  # noqa: PLC0415 it may not be installed

    whole = np.nan_to_num(np.asarray(rows, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(whole, axis=1, keepdims=True)
    unit = np.divide(whole, lengths, out=np.zeros_like(whole), where=lengths > 0)
    return [row.tobytes() for row in np.rint(unit * _ONE).astype(np.int8)]


def cosines(one: bytes, many: Sequence[bytes]) -> list[float]:
    """Return the cosine of one vector with each of many; 0 for one of another length, which is no vector of ours."""
    import numpy as np  # noqa: PLC0415 it may not be installed

    fits = [len(each) == len(one) for each in many]
    whole = [each if fit else bytes(len(one)) for each, fit in zip(many, fits, strict=True)]
    if not whole or not one:
        return [0.0] * len(many)
    mine = np.frombuffer(one, dtype=np.int8).astype(np.float32)
    rows = np.frombuffer(b"".join(whole), dtype=np.int8).reshape(len(whole), len(one)).astype(np.float32)
    found = rows @ mine / _ONE**2
    return [float(each) for each in np.clip(found, -1.0, 1.0)]
