"""From scores to draws: explorers, deciders over flat and factored actions, NumPy and compiled kernels."""
