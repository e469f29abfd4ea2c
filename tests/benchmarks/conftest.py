import sys
from pathlib import Path

# As for a script in that folder; the peers' packages are not here, they have an environment of their own.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
