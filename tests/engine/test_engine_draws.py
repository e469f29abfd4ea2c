import numpy as np
import pytest
from scipy import stats

from kulanz.engine import in_holdout
from kulanz.engine.draws import Stream, philox4x32, singles, uniforms


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(counter, key, expected):
    words = tuple(np.array([word], dtype=np.uint64) for word in counter)
    assert [int(word[0]) for word in philox4x32(words, (key[0], key[1]))] == expected


def test_a_number_depends_on_its_id_and_not_on_its_neighbours():
    ids = np.array([7, -3, 2**40, 0])
    together = uniforms(5, ids, Stream.DECISION, 6)
    alone = np.concatenate([uniforms(5, np.array([one]), Stream.DECISION, 6) for one in ids])
    assert (together == alone).all()
    assert (uniforms(6, ids, Stream.DECISION, 6) != together).all()
    assert (uniforms(5, ids, Stream.HOLDOUT, 6) != together).all()


def test_numbers_never_change_so_that_old_decisions_replay():
    expected = [
        [0.9061365186935291, 0.5309698536293581, 0.44383176777046174, 0.7799233865225688, 0.9937936736969277],
        [
            0.9649174386868253,
            0.41773331945296377,
            0.22471392911393195,
            0.29340778139885515,
            0.6571659882320091,
        ],
        [0.2930623049614951, 0.3205484024947509, 0.3698030741652474, 0.802481274236925, 0.8703746491810307],
        [0.3874756220029667, 0.3276338780997321, 0.504977967008017, 0.7108892104223296, 0.1850004174048081],
    ]
    found = uniforms(5, [7, -3, 2**40, 0], Stream.DECISION, 5)
    assert found == pytest.approx(np.array(expected), abs=1e-9)


def test_single_precision_numbers_are_the_same_rounded_within_and_across_blocks():
    ids = np.random.default_rng(1).integers(-(2**62), 2**62, 20_000)
    for count in (1, 4, 6):
        rounded = uniforms(2**40 + 7, ids, Stream.DECISION, count).T.astype(np.float32)
        assert (singles(2**40 + 7, ids, Stream.DECISION, count) == rounded).all()
    assert singles(1, np.zeros(0, int), Stream.DECISION, 3).shape == (3, 0)


def test_numbers_are_uniform_and_uncorrelated():
    u = uniforms(1, np.arange(50_000), Stream.REACTION, 4)
    assert u.min() > 0
    assert u.max() < 1
    assert all(stats.kstest(u[:, k], "uniform").pvalue > 1e-3 for k in range(4))
    assert np.abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.02


def test_the_holdout_is_fixed_and_grows_without_losing_anybody():
    ids = np.arange(100_000)
    small, large = in_holdout(ids, 0.1, "shop"), in_holdout(ids, 0.2, "shop")
    assert abs(small.mean() - 0.1) < 0.004
    assert (large | ~small).all()
    assert (in_holdout(ids[::-1], 0.1, "shop")[::-1] == small).all()
    assert abs((small & in_holdout(ids, 0.1, "other shop")).mean() - 0.01) < 0.002
