"""From scores to probabilities in closed form, with a floor and a cap, and the draw.

All works on blocks float32[K, B], one option per row and one case per column, so that sums and maxima run
along whole rows of memory. A vetoed option has probability exactly 0, equal options have equal probabilities,
and a column's result depends on that column alone, to the last bit.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kulanz.engine.arrays import Bools, Indices, Singles
from kulanz.engine.exploring.normal import upper_tail
from kulanz.engine.exploring.scratch import Scratch
from kulanz.engine.exploring.thompson import best_of_normals
from kulanz.kernel.errors import InputError, KulanzError

Kind = Literal["gaussian_gap", "inverse_gap", "thompson", "greedy", "uniform"]
KINDS: tuple[Kind, ...] = get_args(Kind)

STRIPE = 16
_ONE = np.float32(1.0)
LARGE = np.float32(3e38)

Bits = NDArray[np.uint8]


UNEVEN = "Probabilities do not sum to 1; refit the policy before deciding."


class ProbabilityError(KulanzError):
    """Scores or spreads cannot be turned into probabilities; nothing was drawn."""


@dataclass(frozen=True, slots=True)
class Explorer:
    """How scores become probabilities, over K allowed options with means m (best: m*) and spreads s.

    - gaussian_gap: q_a = P(a beats the best) = Q((m* - m_a) / sqrt(s_a^2 + s_*^2)), p_a in proportion to its
      odds q_a / (1 - q_a), which are 1 for the best. Two options: Thompson sampling. s_* is the widest of a
      tie for the best.
    - inverse_gap: p_a = 1 / (K + gamma (m* - m_a)), the best takes the rest (Abe and Long 1999; Foster and
      Rakhlin 2020).
    - thompson: p_a = P(a is the best) under independent normals, by quadrature.
    - greedy: the best. uniform: any.

    The best of a tie share equally. Then, with U = uniform over the K, p <- (1 - floor) p + floor U:
    everything allowed keeps floor / K. `cap` limits the expected loss sum p_a (m* - m_a) of one decision in
    reward units: what lies above the floor is mixed with greedy just enough. The floor goes first: where it
    alone costs more than the cap, the loss is the floor's.
    """

    kind: Kind = "gaussian_gap"
    floor: float = 0.0
    cap: float | None = None
    gamma: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"No explorer is called {self.kind}; choose one of {', '.join(KINDS)}.")
        capped = self.cap is None or self.cap >= 0
        if not (0 <= self.floor <= 1 and capped and 0 <= self.gamma < float("inf")):
            raise InputError(
                "An explorer needs floor within 0..1, cap >= 0 or none, and a finite gamma >= 0."
            )

    @property
    def needs_spreads(self) -> bool:
        return self.kind in ("gaussian_gap", "thompson")


@dataclass(frozen=True, slots=True)
class Options:
    """What each of B cases may choose from: gaps float32[K, B] to the best allowed mean (inf where vetoed).

    may uint8[K, B], count float32[B] of allowed options, best float32[B] mean; ties bool[K, B] and tied
    float32[B]: which share the best mean, and how many; spreads float32[K, B] where given.
    """

    gaps: Singles
    may: Bits
    count: Singles
    best: Singles
    ties: Bools
    tied: Singles
    spreads: Singles | None


def options(means: Singles, spreads: Singles | None, may: Bits, scratch: Scratch) -> Options:
    """The options of a block: means and spreads float32[K, B], may uint8[K, B] with a 1 in every column.

    Raises ProbabilityError when a mean or spread is not finite, or a spread not above zero, vetoed or not.
    """
    check(means, spreads)
    shape = means.shape
    gaps = np.add(means, closed(may, scratch), out=scratch("gaps", shape))
    best = np.maximum.reduce(gaps, axis=0)
    with np.errstate(over="ignore"):
        np.subtract(best, gaps, out=gaps)
    ties = np.equal(gaps, np.float32(0.0), out=scratch("ties", shape, np.bool_))
    return Options(gaps, may, _counted(may), best, ties, _counted(ties.view(np.uint8)), spreads)


def closed(may: Bits, scratch: Scratch) -> Singles:
    """0 where may is 1, -inf where it is 0, by the bits: many times faster than a masked copy."""
    bits = np.subtract(may, 1, out=scratch("closed", may.shape, np.int32), dtype=np.int32)
    infinite: Singles = np.bitwise_and(bits, np.int32(-0x800000), out=bits).view(np.float32)
    return infinite


def probabilities(
    found: Options, explorer: Explorer, scratch: Scratch, cap: Singles | None = None
) -> Singles:
    """float32[K, B], columns summing to 1; `cap` float32[B] takes the place of the explorer's for each case."""
    with np.errstate(over="ignore"):
        p = _weights(found, explorer, scratch)
        if explorer.floor or explorer.cap is not None:
            limit = explorer.cap if cap is None else cap
            _limit(p, found, explorer.floor, limit, scratch)
    return p


def draw(p: Singles, uniform: Singles, scratch: Scratch) -> Indices:
    """The option that each column's number within (0, 1] falls on; never one of probability 0."""
    edges = scratch("edges", p.shape)
    edges[0] = p[0]
    for k in range(1, len(p)):
        np.add(edges[k - 1], p[k], out=edges[k])
    if not np.abs(edges[-1] - _ONE).max(initial=0.0) < 1e-4:
        raise ProbabilityError(UNEVEN)
    below = np.less(edges, uniform * edges[-1], out=scratch("below", p.shape, np.bool_))
    return _summed(below.view(np.uint8)).astype(np.intp)


def at(table: NDArray[np.float32], choice: Indices) -> Singles:
    """The entry of each column float32[B] in the row that `choice` names."""
    columns = table.shape[1]
    entries: Singles = np.take(table.reshape(-1), choice * columns + np.arange(columns))
    return entries


def expected_loss(p: Singles, found: Options, scratch: Scratch) -> Singles:
    """sum p_a (m* - m_a) per case, float32[B]."""
    cost = np.minimum(found.gaps, LARGE, out=scratch("cost", p.shape))
    return total(np.multiply(cost, p, out=cost))


def widest(found: Options, scratch: Scratch) -> Singles:
    """The spread of the best, float32[B]: the widest of a tie."""
    of_ties = np.multiply(_spreads(found), found.ties, out=scratch("cost", found.gaps.shape))
    return np.asarray(np.maximum.reduce(of_ties, axis=0))


def total(table: Singles) -> Singles:
    """Column sums float32[B] in stripes of rows, which keeps the rounding error of long columns small."""
    out = np.add.reduce(table[:STRIPE], axis=0)
    for first in range(STRIPE, len(table), STRIPE):
        out += np.add.reduce(table[first : first + STRIPE], axis=0)
    return np.asarray(out)


def _weights(found: Options, explorer: Explorer, scratch: Scratch) -> Singles:
    if explorer.kind == "gaussian_gap":
        return _gaussian_gap(found, scratch)
    if explorer.kind == "inverse_gap" and explorer.gamma:
        return _inverse_gap(found, np.float32(explorer.gamma), scratch)
    if explorer.kind == "thompson":
        return best_of_normals(found.gaps, _spreads(found), found.may, scratch)
    chosen, count = (found.ties, found.tied) if explorer.kind == "greedy" else (found.may, found.count)
    p: Singles = np.multiply(chosen.view(np.uint8), _ONE / count, out=scratch("p", found.gaps.shape))
    return p


def _inverse_gap(found: Options, gamma: np.float32, scratch: Scratch) -> Singles:
    p: Singles = np.multiply(found.gaps, gamma, out=scratch("p", found.gaps.shape))
    np.add(p, found.count, out=p)
    np.divide(_ONE, p, out=p)
    others = total(p) - found.tied * (_ONE / found.count)
    _share_rest(p, np.maximum(others, np.float32(0.0)), found)
    return p


def _gaussian_gap(found: Options, scratch: Scratch) -> Singles:
    spreads, shape = _spreads(found), found.gaps.shape
    variance = np.square(widest(found, scratch))
    p: Singles = np.multiply(spreads, spreads, out=scratch("p", shape))
    np.add(p, variance, out=p)
    np.sqrt(p, out=p)
    np.divide(found.gaps, p, out=p)
    upper_tail(p, scratch)
    np.divide(p, np.subtract(_ONE, p, out=scratch("cost", shape)), out=p)
    np.multiply(p, _ONE / total(p), out=p)
    return p


def _share_rest(p: Singles, others: Singles, found: Options) -> None:
    """The best of a tie share equally what the `others` leave."""
    np.copyto(p, (_ONE - others) / found.tied, where=found.ties)


def _limit(p: Singles, found: Options, floor: float, cap: float | Singles | None, scratch: Scratch) -> None:
    kept = np.full(p.shape[1], _ONE)
    if cap is not None:
        kept = _kept(p, found, floor, cap, scratch)
        np.multiply(p, kept, out=p)
        greedy = (_ONE - kept) / found.tied
        np.add(p, np.multiply(found.ties, greedy, out=scratch("cost", p.shape)), out=p)
    if floor:
        np.multiply(p, np.float32(1.0 - floor), out=p)
        least = np.float32(floor) / found.count
        np.add(p, np.multiply(found.may, least, out=scratch("cost", p.shape)), out=p)


def _kept(p: Singles, found: Options, floor: float, cap: float | Singles, scratch: Scratch) -> Singles:
    """The share of p that stays: cap = floor * loss of U + (1 - floor) * share * loss of p."""
    loss = (1.0 - floor) * expected_loss(p, found, scratch)
    allowed = np.minimum(found.gaps, LARGE, out=scratch("cost", p.shape))
    forced = floor * total(np.multiply(allowed, found.may, out=allowed)) / found.count
    left = np.maximum(cap - forced, np.float32(0.0))
    kept: Singles = np.divide(left, loss, out=np.ones_like(loss), where=loss > left)
    return kept


def _spreads(found: Options) -> Singles:
    if found.spreads is None:
        raise InputError("This explorer needs the spread of every option; give the tables with spreads.")
    return found.spreads


def _counted(flags: Bits) -> Singles:
    return _summed(flags).astype(np.float32)


def _summed(flags: Bits) -> NDArray[np.integer]:
    return np.asarray(np.add.reduce(flags, axis=0, dtype=np.uint8 if len(flags) < 256 else np.int64))


def check(means: Singles, spreads: Singles | None) -> None:
    """Raises ProbabilityError unless all is finite, and spreads above zero."""
    for table in (means,) if spreads is None else (means, spreads):
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.add.reduce(table, axis=0)
        if not np.isfinite(sums).all() and not np.isfinite(table).all():
            raise ProbabilityError(
                "A score is not finite; check the contexts for missing values and refit the policy."
            )
    if spreads is not None and spreads.size and not spreads.min() > 0:
        raise ProbabilityError(
            "An option has no spread (sd must be above zero); refit the policy before deciding."
        )
