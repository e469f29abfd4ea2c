"""The compiled kernel gives the bits of NumPy. Without numba only the refusal is tested, the rest is skipped."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from kulanz.engine.actions import ActionSpace, Allowed
from kulanz.engine.draws import Stream, singles
from kulanz.engine.exploring.deciders import NumpyKernel, Stage, new_kernel
from kulanz.engine.exploring.explore import KINDS, Explorer, ProbabilityError
from kulanz.engine.exploring.flat import FlatDecider, FlatTables
from kulanz.engine.exploring.tree import TreeDecider, TreeTables
from kulanz.kernel.errors import InputError

needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="numba is not installed")
LIMITS = [(0.0, None), (0.02, None), (0.0, 0.01), (0.05, 0.02)]


def stage_of(k, width, explorer, seed=3):
    rng = np.random.default_rng(seed + k)
    means = rng.normal(size=(k, width)).astype(np.float32)
    means[:, ::7] = np.round(2 * means[:, ::7]) / 2
    means[:, ::11] = 0.25
    spreads = rng.uniform(0.05, 1, size=(k, width)).astype(np.float32)
    may = (rng.random((k, width)) < 0.7).astype(np.uint8)
    may[0] |= may.sum(axis=0) == 0
    return Stage(means, spreads if explorer.needs_spreads else None, may)


def identical(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name.endswith(("score", "spread")))
        for name in one.__dataclass_fields__
    )


@needs_numba
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [1, 2, 17, 300])
def test_probabilities_and_draws_have_the_bits_of_numpy(kind, k):
    numpys, compiled = NumpyKernel(), new_kernel("compiled")
    width = 144
    numbers = 1 - np.random.default_rng(1).random(width, dtype=np.float32)
    for floor, cap in LIMITS:
        explorer = Explorer(kind, floor=floor, cap=cap, gamma=40.0)
        stage = stage_of(k, width, explorer)
        assert np.array_equal(numpys.probabilities(stage, explorer), compiled.probabilities(stage, explorer))
        one, other = (kernel.choose(stage, explorer, numbers) for kernel in (numpys, compiled))
        for name in one.__dataclass_fields__:
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
        followed = [kernel.choose(stage, explorer, one.choice) for kernel in (numpys, compiled)]
        assert np.array_equal(followed[0].propensity, followed[1].propensity)
        assert np.array_equal(followed[0].propensity, one.propensity)


@needs_numba
def test_numbers_to_draw_with_have_the_bits_of_numpy():
    ids = np.random.default_rng(0).integers(-(2**62), 2**62, 1000)
    for count in (1, 2, 3, 4, 5, 9):
        found = new_kernel("compiled").singles(2**40 + 7, ids[::2], Stream.DECISION, count)
        assert np.array_equal(found, singles(2**40 + 7, ids[::2], Stream.DECISION, count))


@needs_numba
@pytest.mark.parametrize("kind", KINDS)
def test_flat_decisions_are_the_same_with_either_kernel(kind):
    rng = np.random.default_rng(5)
    d, k, n = 6, 9, 700
    tables = FlatTables(
        rng.normal(size=(d + 1, k)).astype(np.float32) * np.float32(0.2),
        np.eye(d, dtype=np.float32),
        np.full((2 * d + 1, k), 0.01, np.float32),
        np.full(k, 0.02, np.float32),
    )
    contexts, mask = rng.normal(size=(n, d)).astype(np.float32), rng.random((n, k)) < 0.6
    mask[::50] = False
    explorer = Explorer(kind, gamma=9.0, floor=0.01, cap=0.2)
    one, other = (FlatDecider(tables, explorer, kernel=name) for name in ("numpy", "compiled"))
    made = one.decide(contexts, mask, 3, np.arange(n))
    assert identical(made, other.decide(contexts, mask, 3, np.arange(n)))
    assert identical(made, other.replay(made.scores, mask, 3, np.arange(n)))
    assert np.array_equal(one.probabilities(made.scores, mask), other.probabilities(made.scores, mask))


@needs_numba
@pytest.mark.parametrize("kind", KINDS)
def test_factored_decisions_are_the_same_with_either_kernel(kind):
    rng = np.random.default_rng(6)
    space = ActionSpace(("email", "sms", "letter"), ("friendly", "firm"), ("none", "plan"))
    n, d = 300, 4
    tables = TreeTables(
        rng.normal(size=(d + 1, space.score_columns)).astype(np.float32),
        0.1,
        rng.uniform(0.01, 0.1, space.channel_slots).astype(np.float32),
        rng.uniform(0.01, 0.1, space.channel_tone_offers).astype(np.float32),
    )
    contexts = rng.normal(size=(n, d)).astype(np.float32)
    contexts[:20] = 0
    shapes = [(n,), (n, space.channel_slots), (n, space.channel_tone_offers)]
    allowed = Allowed(*(rng.random(shape) < 0.6 for shape in shapes))
    allowed.channel_slot[:30] = False
    explorer = Explorer(kind, gamma=9.0, floor=0.01, cap=0.2)
    one, other = (TreeDecider(space, tables, explorer, kernel=name) for name in ("numpy", "compiled"))
    made = one.decide(contexts, allowed, 3, np.arange(n))
    assert identical(made, other.decide(contexts, allowed, 3, np.arange(n)))
    again = other.propensity_of(made.scores, allowed, made.actions)
    assert np.array_equal(again, made.propensity)


@needs_numba
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_compiled_kernel_refuses_what_is_not_finite_as_well(bad):
    explorer = Explorer("gaussian_gap")
    for table in (0, 1):
        stage = stage_of(5, 16, explorer)
        (stage.means, stage.spreads)[table][3, 2] = bad
        with pytest.raises(ProbabilityError, match="not finite"):
            new_kernel("compiled").probabilities(stage, explorer)
    stage = stage_of(5, 16, explorer)
    stage.spreads[1, 4] = 0.0
    with pytest.raises(ProbabilityError, match="spread"):
        new_kernel("compiled").probabilities(stage, explorer)


@needs_numba
def test_code_that_no_longer_gives_the_bits_of_numpy_is_refused(monkeypatch):
    verify = import_module("kulanz.engine.exploring.compiled").verify
    weigh = NumpyKernel.probabilities
    monkeypatch.setattr(NumpyKernel, "probabilities", lambda *given: weigh(*given) * np.float32(0.999))
    verify.cache_clear()
    with pytest.raises(InputError, match="differs from NumPy"):
        new_kernel("compiled")
    verify.cache_clear()


def test_numba_is_loaded_only_when_asked_for_and_its_absence_is_said():
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from kulanz.engine.exploring import deciders, flat, tree\n"
        "deciders.new_kernel('numpy')\n"
        "try:\n    deciders.new_kernel('compiled')\n"
        "except deciders.InputError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "needs numba" in done.stdout
