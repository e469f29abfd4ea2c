"""Every catalogue is complete, compiled, and holds what the room's templates translate."""

import re
import sys
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1] / "src" / "kulanz"
SIMPLE = re.compile(r"""{%\s*translate\s+(?:"([^"]+)"|'([^']+)')""")


def main() -> int:
    faults: list[str] = []
    for folder in sorted(ROOT.glob("*/locale")):
        for text in sorted(folder.glob("*/LC_MESSAGES/django.po")):
            faults += check(text)
    known = {key(m.id) for po in ROOT.glob("*/locale/de/LC_MESSAGES/django.po") for m in read(po) if m.id}
    for template in sorted(ROOT.glob("*/templates/**/*.html")):
        wanted = ("".join(found) for found in SIMPLE.findall(template.read_text("utf-8")))
        faults += [f"{template.relative_to(ROOT)}: no German for {w!r}" for w in wanted if w not in known]
    print("\n".join(faults) or "all catalogues are complete and compiled")
    return int(bool(faults))


def check(text: Path) -> list[str]:
    catalogue, name = read(text), text.relative_to(ROOT)
    messages = [m for m in catalogue if m.id]
    faults = [f"{name}: not translated: {m.id!r}" for m in messages if not all(parts(m.string))]
    faults += [f"{name}: marked fuzzy: {m.id!r}" for m in messages if m.fuzzy]
    with text.with_suffix(".mo").open("rb") as file:
        compiled = {key(m.id): parts(m.string) for m in read_mo(file) if m.id}
    if compiled != {key(m.id): parts(m.string) for m in messages}:
        faults.append(f"{name}: compile it again with `make messages`")
    return faults


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def key(message_id: Any) -> str:
    """The singular; plural messages have both forms as their id."""
    return message_id if isinstance(message_id, str) else message_id[0]


def parts(string: Any) -> list[str]:
    return [string] if isinstance(string, str) else list(string)


if __name__ == "__main__":
    sys.exit(main())
