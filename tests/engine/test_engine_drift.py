import json
import math

import numpy as np
import pytest

from kulanz.engine import Feature, FeatureSpec
from kulanz.engine.drift import Reference, added, drift, psi
from kulanz.kernel.errors import InputError

SPEC = FeatureSpec(
    (
        Feature("amount", "EUR"),
        Feature("days past due", "days", kind="bucket", edges=(0, 8)),
        Feature("business", kind="flag"),
        Feature("country", kind="category", levels=("DE", "AT")),
        Feature("weekday", kind="cyclical", period=7),
    )
)


def cases(n, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return {
        "amount": rng.lognormal(4 + shift, 1, n),
        "days past due": rng.normal(5, 10, n),
        "business": rng.random(n) < 0.3,
        "country": rng.choice(np.array(["DE", "AT", "FR"]), n, p=[0.7, 0.2, 0.1]),
        "weekday": rng.integers(0, 7, n),
    }


def test_the_index_by_hand():
    """Shares .5 .3 .2 against .4 .4 .2: -.1 ln .8 + .1 ln 4/3 + 0."""
    expected = -0.1 * math.log(0.4 / 0.5) + 0.1 * math.log(0.4 / 0.3)
    assert psi([500, 300, 200], [40, 40, 20]) == pytest.approx(expected)
    assert psi([500, 300, 200], [50, 30, 20]) == 0


def test_an_empty_bin_counts_half_a_row_and_one_empty_on_both_sides_nothing():
    """9 1 | 10 0 becomes shares 9/10 1/10 | 10/10.5 .5/10.5."""
    p, q = np.array([0.9, 0.1]), np.array([10, 0.5]) / 10.5
    assert psi([9, 0, 1], [10, 0, 0]) == pytest.approx(((q - p) * np.log(q / p)).sum())
    assert psi([1, 2], [0, 0]) == 0


def test_missing_values_are_a_bin_of_their_own():
    """A flag: 60 no, 20 yes, 20 missing against 30, 10, 60."""
    flag = FeatureSpec((Feature("business", kind="flag"),))
    reference = Reference.of(flag, {"business": [0.0] * 60 + [1.0] * 20 + [np.nan] * 20})
    (found,) = drift(reference, {"business": [0.0] * 30 + [1.0] * 10 + [None] * 60})
    by_hand = 0.3 * math.log(2) + 0.1 * math.log(2) + 0.4 * math.log(3)
    assert found.psi == pytest.approx(by_hand)
    assert (found.share_missing, found.reference_missing) == (0.6, 0.2)
    assert found.verdict == "drifted"


def test_deciles_of_a_number_hold_a_tenth_each_and_a_frequent_value_gets_its_own_bin():
    spec = FeatureSpec((Feature("amount"),))
    even = Reference.of(spec, {"amount": np.arange(1000.0)})
    assert even.counts[0].tolist() == [99, *[100] * 8, 101, 0]
    paid = np.concatenate([np.zeros(950), np.arange(1.0, 51)])
    mostly_zero = Reference.of(spec, {"amount": paid})
    assert mostly_zero.counts[0].tolist() == [0, 950, 50, 0]
    (found,) = drift(mostly_zero, {"amount": np.concatenate([np.zeros(500), np.ones(500)])})
    assert found.psi == pytest.approx(0.45 * math.log(0.95 / 0.5) + 0.45 * math.log(0.5 / 0.05))


def test_equal_cases_are_stable_and_moved_ones_are_named():
    reference = Reference.of(SPEC, cases(20_000, 1))
    assert {each.verdict for each in drift(reference, cases(20_000, 2))} == {"stable"}
    moved = {each.name: each for each in drift(reference, cases(20_000, 2, shift=0.7))}
    assert moved["amount"].verdict == "drifted"
    assert {each.verdict for name, each in moved.items() if name != "amount"} == {"stable"}
    slightly = drift(reference, cases(20_000, 3, shift=0.4))
    assert slightly[0].verdict == "watch"


def test_chance_alone_stays_below_its_bound_in_nineteen_of_twenty_samples():
    reference = Reference.of(SPEC, cases(5_000, 1))
    found = [drift(reference, cases(300, seed)) for seed in range(10, 110)]
    above = np.mean([[each.psi > each.by_chance for each in sample] for sample in found])
    assert above < 0.08
    assert above > 0.01


def test_few_cases_are_no_proof_of_drift():
    reference = Reference.of(SPEC, cases(5_000, 1))
    verdicts = [each.verdict for seed in range(40) for each in drift(reference, cases(30, 100 + seed))]
    assert verdicts.count("too few") > 20
    assert (verdicts.count("watch") + verdicts.count("drifted")) / len(verdicts) < 0.1
    nobody = {name: values[:0] for name, values in cases(1, 1).items()}
    assert {each.verdict for each in drift(reference, nobody)} == {"too few"}
    assert {each.psi for each in drift(reference, nobody)} == {0.0}


def test_blocks_add_up_to_the_whole():
    reference = Reference.of(SPEC, cases(2_000, 1))
    whole = cases(3_000, 2, shift=0.2)
    blocks = [
        {name: values[part] for name, values in whole.items()} for part in (slice(0, 700), slice(700, None))
    ]
    together = added(reference.count(blocks[0]), reference.count(blocks[1]))
    assert drift(reference, together) == drift(reference, whole)
    with pytest.raises(InputError, match="bins of this reference"):
        drift(reference, together[:2])


def test_the_stored_reference_is_small_and_the_same():
    reference = Reference.of(SPEC, cases(2_000, 1))
    text = json.dumps(reference.to_json())
    assert len(text) < 400 * len(SPEC.features)
    again = Reference.from_json(json.loads(text))
    assert drift(again, cases(500, 2)) == drift(reference, cases(500, 2))


def test_odd_columns_have_a_defined_place():
    odd = {
        "amount": [np.inf, -np.inf, np.nan, 3.0],
        "days past due": [np.inf, -np.inf, np.nan, 3.0],
        "business": [1, 0, np.nan, 1],
        "country": np.array(["FR", "", None, "AT"], object),
        "weekday": [np.inf, 7.0, -1.0, np.nan],
    }
    reference = Reference.of(SPEC, odd)
    by_name = dict(zip(SPEC.names, reference.counts, strict=True))
    assert by_name["days past due"].tolist() == [1, 1, 1, 1]
    assert by_name["business"].tolist() == [1, 2, 1]
    assert by_name["country"].tolist() == [0, 1, 1, 2]
    assert by_name["amount"][-1] == 1
    assert by_name["weekday"][-1] == 2
    assert {each.psi for each in drift(reference, odd)} == {0.0}
    with pytest.raises(InputError, match="amount"):
        reference.count({})
    with pytest.raises(InputError, match="two bins"):
        Reference.of(SPEC, odd, most=1)


def test_the_bound_of_chance_is_the_chi_squared_quantile():
    """Two bins: the 95 % quantile with one degree of freedom is 3.8415 (any table), over 100 and 50 rows."""
    flag = FeatureSpec((Feature("business", kind="flag"),))
    reference = Reference.of(flag, {"business": [0, 1] * 50})
    (found,) = drift(reference, {"business": [0, 1] * 25})
    assert found.by_chance == pytest.approx(3.8415 * (1 / 100 + 1 / 50), rel=1e-4)
