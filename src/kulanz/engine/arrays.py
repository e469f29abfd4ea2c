"""Names for the array types that cross the engine's functions."""

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Codes = NDArray[np.int16]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]
Small = NDArray[np.int8]
