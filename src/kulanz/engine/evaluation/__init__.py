"""What a policy is worth: off-policy estimators, intervals that may be looked at, the promotion gate."""
