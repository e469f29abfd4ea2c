"""How commands speak: to people on a terminal, or as one JSON document."""

import json
from typing import Any

from rich.console import Console

console = Console()
errors = Console(stderr=True)


def print_json(document: Any) -> None:
    """Write exactly one JSON document to standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str))
