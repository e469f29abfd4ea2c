"""Which e-mail brings a visit? `python docs/examples/hillstrom.py hillstrom.csv` (64,000 randomised rows)."""

import sys

import numpy as np
import polars as pl

from kulanz.engine import ActionSpace, Allowed, Feature, FeatureSpec, Policy, mean_interval

log = pl.read_csv(sys.argv[1], infer_schema_length=None).sample(fraction=1.0, shuffle=True, seed=1)
arms = ["No E-Mail", "Mens E-Mail", "Womens E-Mail"]
spec = FeatureSpec(
    (
        Feature("recency", "months", 0, 12),
        Feature("history", "dollars", 0, 3000),
        Feature("mens", kind="flag"),
        Feature("womens", kind="flag"),
        Feature("newbie", kind="flag"),
        Feature("channel", kind="category", levels=("Phone", "Web", "Multichannel")),
    )
)
columns = {name: log[name].to_numpy() for name in spec.names}
spec = spec.fitted(columns)
x = spec.transform(columns)
logged = np.array([arms.index(name) for name in log["segment"]])
policy, visits = Policy(ActionSpace.flat(arms), spec), []
for rows in np.array_split(np.arange(len(x)), 640):
    allowed = Allowed.flat(np.ones((len(rows), 3), dtype=bool))
    made = policy.decide(x[rows], allowed, seed=7, ids=rows)
    same = rows[made.actions[:, 0] == logged[rows]]  # the rows that tell what our choice would have brought
    actions = np.zeros((len(same), 4), dtype=np.int16)
    actions[:, 0] = logged[same]
    rewards = log["visit"].to_numpy()[same].astype(float)
    policy.learn(x[same], actions, rewards)
    visits.extend(rewards)
low, high = mean_interval(np.array(visits))
print(
    f"{np.mean(visits):.4f} visits per customer ({low:.4f} to {high:.4f}); at random {log['visit'].mean():.4f}"
)
