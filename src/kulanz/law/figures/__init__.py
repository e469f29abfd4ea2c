"""The rows of a law pack, one file per kind of rule: each is dated, sourced, and says whether the source was seen."""
