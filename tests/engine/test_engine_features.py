import numpy as np
import pytest

from kulanz.engine import ActionSpace, Feature, FeatureSpec
from kulanz.kernel.errors import InputError

SPEC = FeatureSpec((Feature("days", "days", 0, 90, 10, 20, 5), Feature("amount", "EUR", 0, 500)))


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


def test_a_slot_is_weekday_times_bands_plus_band():
    space = ActionSpace(("email",))
    assert space.slots == 42
    assert space.slot(2, 3) == 15
    assert space.label(np.array([0, 15, 0, 0], np.int16)) == ("email", "Wed", "14-16", "neutral", "none")
    assert ActionSpace.from_json(space.to_json()) == space
    with pytest.raises(InputError, match="twice"):
        ActionSpace(("email", "email"))
