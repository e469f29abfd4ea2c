import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.engine import ActionSpace, Feature, FeatureSpec
from kulanz.engine.features import bucket_names
from kulanz.kernel.errors import InputError

SPEC = FeatureSpec((Feature("days", "days", 0, 90, 10, 20, 5), Feature("amount", "EUR", 0, 500)))
MIXED = FeatureSpec(
    (
        Feature("amount", "EUR", 0, 500, unknown=True),
        Feature("days past due", "days", kind="bucket", edges=(0, 8, 15, 16)),
        Feature("business", kind="flag", fill=0.25),
        Feature("country", kind="category", levels=("DE", "AT"), unknown=True),
        Feature(
            "weekday", kind="cyclical", period=7, levels=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        ),
    )
)


def test_missing_values_are_filled_and_wild_ones_clipped():
    columns = {"days": [25, np.nan, np.inf], "amount": [100, -5, 9e9], "other": ["x"]}
    assert SPEC.transform(columns).tolist() == [[1, 100], [-2, 0], [14, 500]]
    assert SPEC.transform(columns).dtype == np.float32


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="amount"):
        SPEC.transform({"days": [1]})


def test_fitting_centres_and_a_constant_column_keeps_its_unit():
    fitted = SPEC.fitted({"days": [10, 30], "amount": [7, 7]})
    assert (fitted.features[0].centre, fitted.features[0].scale) == (20, 10)
    assert (fitted.features[1].centre, fitted.features[1].scale) == (7, 1)
    assert FeatureSpec.from_json(fitted.to_json()) == fitted


def test_each_kind_makes_its_columns_by_hand():
    columns = {
        "amount": [120.0, None, -np.inf],
        "days past due": [-2, 14.9, np.inf],
        "business": [True, False, np.nan],
        "country": np.array(["AT", None, "FR"], object),
        "weekday": [0, 7 / 4, np.nan],
    }
    assert MIXED.columns == (
        "amount",
        "amount unknown",
        "days past due below 0",
        "days past due 0 to 7",
        "days past due 8 to 14",
        "days past due 15",
        "days past due 16 or more",
        "business",
        "country DE",
        "country AT",
        "country unknown",
        "weekday sin",
        "weekday cos",
    )
    assert len(MIXED) == 13
    assert MIXED.transform(columns) == pytest.approx(
        np.array(
            [
                [120, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1],
                [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0],
                [0, 0, 0, 0, 0, 0, 1, 0.25, 0, 0, 1, 0, 0],
            ]
        ),
        abs=1e-6,
    )


def test_without_a_column_of_its_own_a_missing_bucket_or_level_is_all_zero():
    spec = FeatureSpec(
        (Feature("age", kind="bucket", edges=(1.5, 2.5)), Feature("kind", kind="category", levels=("a", "b")))
    )
    assert spec.transform({"age": [np.nan, 1.5], "kind": ["c", "b"]}).tolist() == [[0] * 5, [0, 1, 0, 0, 1]]


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ((8, 15), ("below 8", "8 to 14", "15 or more")),
        ((1_000_000.0,), ("below 1000000", "1000000 or more")),
        ((0.5, 1.0), ("below 0.5", "0.5 to under 1", "1 or more")),
    ],
)
def test_intervals_read_like_a_sentence(edges, names):
    assert bucket_names(edges) == names


def test_what_stands_behind_a_context_reads_in_the_features_own_words():
    columns = {
        "amount": [120.0, None],
        "days past due": [12, np.nan],
        "business": [True, False],
        "country": ["AT", "FR"],
        "weekday": [6, np.nan],
    }
    fitted = MIXED.fitted({**columns, "amount": [100.0, 300.0], "weekday": [2, 5]})
    contexts = fitted.transform(columns)
    first, second = fitted.readings(contexts[0]), fitted.readings(contexts[1])
    assert [(each.name, each.unit) for each in first] == [
        ("amount", "EUR"),
        ("days past due", "days"),
        ("business", ""),
        ("country", ""),
        ("weekday", ""),
    ]
    assert first[0].value == pytest.approx(120, abs=1e-4)
    assert [each.value for each in first[1:]] == ["8 to 14", "yes", "AT", "Sun"]
    assert [each.value for each in second] == ["unknown", None, "no", "unknown", None]
    assert [each.entries for each in first] == [
        slice(0, 2),
        slice(2, 7),
        slice(7, 8),
        slice(8, 11),
        slice(11, 13),
    ]


def test_a_cycle_closes_and_every_hour_reads_back():
    hour = Feature("hour", "h", kind="cyclical", period=24)
    encoded = hour.encode([0, 24, 6.5, 23])
    assert encoded[1] == pytest.approx(encoded[0])
    assert encoded[3] == pytest.approx([math.sin(-math.pi / 12), math.cos(math.pi / 12)])
    assert [hour.raw(row) for row in encoded[2:]] == pytest.approx([6.5, 23])


def test_fitting_shares_by_hand_and_no_rare_level_outweighs_the_rest():
    spec = FeatureSpec(
        (
            Feature("kind", kind="category", levels=("a", "b", "never")),
            Feature("weekday", kind="cyclical", period=7),
        )
    )
    names = np.array(["a"] * 9_990 + ["b"] * 10)
    fitted = spec.fitted({"kind": names, "weekday": np.full(10_000, 3)})
    kind, weekday = fitted.features
    assert kind.centre == pytest.approx((0.999, 0.001, 0.0))
    assert kind.scale == pytest.approx((0.1, 0.1, 1.0))
    assert weekday.centre == (0.0, 0.0)
    assert weekday.scale == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))
    contexts = fitted.transform({"kind": names, "weekday": np.arange(10_000) % 7})
    assert np.abs(contexts.mean(axis=0)).max() < 1e-3
    assert (contexts[:, 3:] ** 2).mean() == pytest.approx(1, abs=1e-3)
    assert len(spec.fitted({"kind": np.array([], str), "weekday": []})) == 5


def test_stored_features_come_back_and_an_old_policys_do_as_well():
    columns = {
        "amount": [1.0, 2.0],
        "days past due": [1, 20],
        "business": [0, 1],
        "country": ["DE", "FR"],
        "weekday": [1, 2],
    }
    fitted = MIXED.fitted(columns)
    again = FeatureSpec.from_json(json.loads(json.dumps(fitted.to_json())))
    assert again == fitted
    assert (again.transform(columns) == fitted.transform(columns)).all()
    old = {"name": "days", "unit": "days", "low": 0, "high": 90, "fill": 10, "centre": 20, "scale": 5}
    assert FeatureSpec.from_json([old]).features == SPEC.features[:1]
    assert SPEC.to_json()[0] == old
    with pytest.raises(InputError, match="update Kulanz"):
        FeatureSpec.from_json([{**old, "splines": 3}])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "colour"}, "kind is one of"),
        ({"scale": 0.0}, "scale"),
        ({"scale": math.nan}, "scale"),
        ({"fill": 5.0, "high": 1.0}, "fill"),
        ({"kind": "flag", "fill": 2.0}, "fill"),
        ({"kind": "bucket"}, "edges"),
        ({"kind": "bucket", "edges": (2.0, 1.0)}, "rising"),
        ({"edges": (1.0,)}, "edges"),
        ({"kind": "category"}, "levels"),
        ({"kind": "category", "levels": ("a", "a")}, "twice"),
        ({"kind": "category", "levels": tuple(str(k) for k in range(300))}, "256"),
        ({"levels": ("a",)}, "number has none"),
        ({"kind": "cyclical"}, "period"),
        ({"kind": "cyclical", "period": 7, "levels": ("Mon",)}, "one level"),
        ({"centre": (0.0, 1.0)}, "per column"),
        ({"high": math.inf}, "finite"),
        ({"scale": 1e-30}, "1e30 scales"),
    ],
)
def test_a_feature_that_makes_no_sense_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        Feature("x", **wrong)


def test_values_of_the_wrong_kind_are_named():
    spec = FeatureSpec((Feature("paid", kind="flag"), Feature("kind", kind="category", levels=("a",))))
    good = {"paid": [1], "kind": ["a"]}
    for column, bad in (
        ("paid", [2]),
        ("paid", ["yes"]),
        ("paid", [[1, 0]]),
        ("kind", [3]),
        ("kind", [["a"]]),
    ):
        with pytest.raises(InputError, match=column):
            spec.transform({**good, column: bad})
    with pytest.raises(InputError, match="length"):
        spec.transform({"paid": [1, 0], "kind": ["a"]})
    with pytest.raises(InputError, match="same name"):
        FeatureSpec((Feature("x", unknown=True), Feature("x unknown")))


def test_columns_of_a_data_frame_can_be_handed_in():
    frame = pl.DataFrame({"days": [25, None], "amount": [100.0, None], "kind": ["a", None]})
    spec = FeatureSpec((*SPEC.features, Feature("kind", kind="category", levels=("a",), unknown=True)))
    assert spec.transform(frame.to_dict()).tolist() == [[1, 100, 1, 0], [-2, 0, 0, 1]]


def test_no_cases_and_no_features_have_a_defined_shape():
    assert SPEC.transform({"days": [], "amount": []}).shape == (0, 2)
    assert FeatureSpec(()).transform({}).shape == (0, 0)


@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=20))
def test_whatever_the_numbers_every_context_is_finite(values):
    spec = FeatureSpec(
        (
            Feature("x"),
            Feature("y", kind="bucket", edges=(-1.0, 0.5), unknown=True),
            Feature("z", kind="cyclical", period=7, unknown=True),
        )
    )
    contexts = spec.transform({"x": values, "y": values, "z": values})
    assert np.isfinite(contexts).all()
    assert (contexts[:, 1:5].sum(axis=1) == 1).all()
    assert (np.hypot(contexts[:, 5], contexts[:, 6]) + contexts[:, 7]) == pytest.approx(1, abs=1e-6)


def test_a_slot_is_weekday_times_bands_plus_band():
    space = ActionSpace(("email",))
    assert space.slots == 42
    assert space.slot(2, 3) == 15
    assert space.label(np.array([0, 15, 0, 0], np.int16)) == ("email", "Wed", "14-16", "neutral", "none")
    assert ActionSpace.from_json(space.to_json()) == space
    with pytest.raises(InputError, match="twice"):
        ActionSpace(("email", "email"))
