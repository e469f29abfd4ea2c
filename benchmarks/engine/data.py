"""The data sets: a randomised e-mail log, and others that tell what every action would have brought.

Numbers are z-scored over the whole file and clipped at 5, words become one column per value; rewards play no
part in it, and every policy gets the same columns.
"""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]

FOLDER = Path(os.environ.get("KULANZ_DATA", Path(__file__).parents[3] / "shared" / "data")) / "experiments"
FILES = {"hillstrom": "hillstrom.csv", "bank": "uci_bank_full.csv"}
CLIP = 5.0
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
CALL_COST = 0.15


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose actions were drawn uniformly: contexts float32[n, d], actions intp[n], rewards float64[n]."""

    name: str
    features: tuple[str, ...]
    names: tuple[str, ...]
    contexts: Singles
    actions: Indices
    rewards: Floats
    batch: int


@dataclass(frozen=True, slots=True)
class Payoffs:
    """What each of the K actions would have brought: contexts float32[n, d], payoffs float64[n, K]."""

    name: str
    features: tuple[str, ...]
    names: tuple[str, ...]
    contexts: Singles
    payoffs: Floats
    batch: int


Data = Log | Payoffs


def hillstrom(path: Path | None = None) -> Log:
    """64,000 customers, three arms at random (no mail, men's, women's); a visit within two weeks is 1."""
    rows = _read(path or FOLDER / FILES["hillstrom"])
    names, blocks = _numbers(
        {
            "recency": [float(row["recency"]) for row in rows],
            "log history": np.log([float(row["history"]) for row in rows]).tolist(),
        }
    )
    for flag in ("mens", "womens", "newbie"):
        names.append(flag)
        blocks.append(np.array([[float(row[flag])] for row in rows]))
    for column in ("zip_code", "channel"):
        _add_words(names, blocks, column, [row[column] for row in rows])
    return Log(
        name="hillstrom",
        features=tuple(names),
        names=ARMS,
        contexts=_joined(blocks),
        actions=np.array([ARMS.index(row["segment"]) for row in rows], dtype=np.intp),
        rewards=np.array([float(row["visit"]) for row in rows]),
        batch=100,
    )


def bank(path: Path | None = None) -> Payoffs:
    """45,211 calls for a term deposit as a choice: a call brings 1 with a sale, else -.15; no call brings 0.

    The call's own duration is left out: it is not known before.
    """
    rows = _read(path or FOLDER / FILES["bank"], delimiter=";")
    numbers = ("age", "balance", "day", "campaign", "pdays", "previous")
    names, blocks = _numbers({column: [float(row[column]) for row in rows] for column in numbers})
    for column in rows[0]:
        if column not in (*numbers, "duration", "y"):
            _add_words(names, blocks, column, [row[column] for row in rows])
    called = np.array([1.0 if row["y"] == "yes" else -CALL_COST for row in rows])
    return Payoffs(
        name="bank",
        features=tuple(names),
        names=("no call", "call"),
        contexts=_joined(blocks),
        payoffs=np.stack([np.zeros(len(rows)), called], axis=1),
        batch=100,
    )


def is_here(name: str) -> bool:
    """Whether the file of a data set can be read; digits and segment come with the peers."""
    return name not in FILES or (FOLDER / FILES[name]).is_file()


def z_scored(values: Floats) -> Floats:
    """float64[n, d] with mean 0 and standard deviation 1 per column, clipped at 5; 0 where a column is constant."""
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.clip(scaled, -CLIP, CLIP))


def classes(name: str, columns: dict[str, list[float]], labels: list[str]) -> Payoffs:
    """A classification as a choice: naming the right class brings 1, any other nothing."""
    kinds = sorted(set(labels))
    names, blocks = _numbers(columns)
    right = np.array([[float(label == kind) for kind in kinds] for label in labels])
    return Payoffs(name, tuple(names), tuple(kinds), _joined(blocks), right, batch=20)


def _read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _numbers(columns: dict[str, list[float]]) -> tuple[list[str], list[Floats]]:
    return list(columns), [z_scored(np.array(list(columns.values())).T)]


def _add_words(names: list[str], blocks: list[Floats], column: str, words: Sequence[str]) -> None:
    kinds = sorted(set(words))
    names += [f"{column} {kind}" for kind in kinds]
    blocks.append(np.array([[float(word == kind) for kind in kinds] for word in words]))


def _joined(blocks: list[Floats]) -> Singles:
    return np.ascontiguousarray(np.concatenate(blocks, axis=1), dtype=np.float32)
