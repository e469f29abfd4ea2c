"""The staff pages speak German throughout: nothing is left untranslated, and what is compiled is what is written."""

from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import kulanz

ROOMS = ("documents", "desk", "insights")


def _key(message):
    return tuple(message.id) if message.pluralizable else message.id


def _forms(message):
    return tuple(message.string) if message.pluralizable else (message.string,)


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_has_its_german(room):
    folder = Path(kulanz.__file__).parent / room / "locale" / "de" / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as written, (folder / "django.mo").open("rb") as compiled:
        texts = {_key(message): message for message in read_po(written) if message.id}
        known = {_key(message): _forms(message) for message in read_mo(compiled) if message.id}
    assert texts
    for key, message in texts.items():
        assert all(_forms(message)), f"{key!r} has no German text"
        assert not message.fuzzy, f"{key!r} is only a guess"
    assert known == {key: _forms(message) for key, message in texts.items()}
