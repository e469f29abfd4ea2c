import hashlib
import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from kulanz.engine import store
from kulanz.engine.store import MAGIC, PolicyFileError, load, pack, save, unpack, version_of
from kulanz.kernel.errors import InputError

META = {"settings": {"floor": 0.02}, "names": ["e-mail", "Brief"], "count": 3.0}
ARRAYS = {
    "moment": np.array([[1.5, -np.inf], [0.0, 2.0**-14]]),
    "single": np.array([1.25, 7.0], np.float32),
    "rows": np.array([2**60, -1], np.int64),
    "codes": np.array([[3], [-1]], np.int32),
    "seen": np.array([True, False, True]),
    "nothing": np.zeros((0, 4)),
    "one": np.array(2.5),
}


def sealed(body):
    """A file of the layout in the docstring, written by hand."""
    squeezed = zlib.compress(body)
    return MAGIC + len(squeezed).to_bytes(8, "little") + hashlib.sha256(squeezed).digest() + squeezed


def headed(header, data=b""):
    text = json.dumps(header).encode()
    return sealed(len(text).to_bytes(8, "little") + text + data)


def test_what_was_packed_comes_back_with_its_types_and_shapes():
    meta, arrays = unpack(pack(META, ARRAYS))
    assert meta == META
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert (arrays[name] == array).all()
    arrays["moment"][0, 0] = 9


def test_equal_content_gives_equal_bytes_and_other_content_another_version():
    turned = dict(reversed(ARRAYS.items()))
    turned["moment"] = np.asfortranarray(ARRAYS["moment"])
    assert pack(META, turned) == pack(META, ARRAYS)
    assert version_of(pack({**META, "count": 4.0}, ARRAYS)) != version_of(pack(META, ARRAYS))


def test_the_version_does_not_depend_on_how_hard_the_body_was_squeezed():
    blob = pack(META, ARRAYS)
    other = sealed(zlib.decompress(blob[len(MAGIC) + 40 :]))
    assert other != blob
    assert version_of(other) == version_of(blob)


def test_a_file_of_the_first_format_still_reads():
    index = [{"name": "gram", "kind": "<f8", "shape": [2]}, {"name": "w", "kind": "<f4", "shape": [1, 1]}]
    data = np.array([1.0, 2.0], "<f8").tobytes() + np.array([0.5], "<f4").tobytes()
    meta, arrays = unpack(headed({"format": 1, "meta": {"count": 1}, "arrays": index}, data))
    assert meta == {"count": 1}
    assert arrays["gram"].tolist() == [1.0, 2.0]
    assert arrays["w"].tolist() == [[0.5]]


def test_saved_under_the_name_of_its_content_and_loaded_again(tmp_path):
    blob = pack(META, ARRAYS)
    path = save(blob, tmp_path)
    assert path.name == f"policy-{version_of(blob)}.kulanz"
    assert load(path) == blob
    assert save(blob, tmp_path) == path
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    blob = pack(META, ARRAYS)
    path = save(blob, tmp_path)

    def no_space(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(PolicyFileError, match="No space left"):
        save(blob, tmp_path)
    monkeypatch.undo()
    assert load(path) == blob
    assert list(tmp_path.iterdir()) == [path]


def test_a_renamed_or_exchanged_file_is_named(tmp_path):
    one, other = save(pack(META, ARRAYS), tmp_path), save(pack({}, ARRAYS), tmp_path)
    one.write_bytes(other.read_bytes())
    with pytest.raises(PolicyFileError, match="renamed or exchanged"):
        load(one)
    with pytest.raises(PolicyFileError, match="renamed"):
        load(other.rename(tmp_path / "best.kulanz"))


def test_missing_foreign_and_unwritable_places_are_policy_file_errors(tmp_path):
    with pytest.raises(PolicyFileError, match="No such file"):
        load(tmp_path / "policy-0123456789ab.kulanz")
    with pytest.raises(PolicyFileError, match="Is a directory"):
        load(tmp_path)
    with pytest.raises(PolicyFileError, match="cannot be written"):
        save(pack(META, ARRAYS), tmp_path / "nowhere")
    with pytest.raises(PolicyFileError, match="not a policy"):
        save(b"PK\x03\x04", tmp_path)
    picture = tmp_path / "policy-0123456789ab.kulanz"
    picture.write_bytes(b"\x89PNG")
    with pytest.raises(PolicyFileError, match="not a policy"):
        load(picture)


def test_a_newer_and_an_oversized_file_say_so(tmp_path, monkeypatch):
    newer = headed({"format": store.FORMAT + 1, "meta": {}, "arrays": []})
    with pytest.raises(PolicyFileError, match="update Kulanz"):
        unpack(newer)
    path = save(pack(META, ARRAYS), tmp_path)
    monkeypatch.setattr(store, "MAX_BYTES", 100)
    with pytest.raises(PolicyFileError, match="larger than 100"):
        load(path)
    with pytest.raises(PolicyFileError, match="larger than 100"):
        unpack(sealed(bytes(5000)))


def test_an_array_that_has_no_kind_in_the_file_is_refused():
    with pytest.raises(InputError, match=r"words.*<U5"):
        pack({}, {"words": np.array(["hello"])})
    with pytest.raises(InputError, match="codes"):
        pack({}, {"codes": np.zeros(2, np.int16)})


def test_a_thousand_damaged_files_are_all_refused_and_never_crash():
    rng = np.random.default_rng(7)
    blob = pack(META, {**ARRAYS, "gram": rng.normal(size=(40, 40))})
    for trial in range(1000):
        if trial % 2:
            broken = blob[: rng.integers(0, len(blob))]
        else:
            changed = bytearray(blob)
            area = 70 if trial % 4 else len(blob)
            for at in rng.integers(0, area, rng.integers(1, 4)):
                changed[at] ^= int(rng.integers(1, 256))
            broken = bytes(changed)
        if broken != blob:
            with pytest.raises(PolicyFileError):
                unpack(broken)


@pytest.mark.parametrize("where", ["stream", "body"])
def test_damage_under_a_fresh_seal_is_refused_or_read_and_never_crashes(where):
    """Whoever can compute the hash can write any content; even that may only end in the one error."""
    rng = np.random.default_rng(8)
    small = {"w": np.arange(3.0), "seen": np.array([True])}
    stream = pack({"count": 1}, small)[len(MAGIC) + 40 :]
    whole = bytearray(zlib.decompress(stream) if where == "body" else stream)
    refused = 0
    for _ in range(1000):
        changed = whole.copy()
        for at in rng.integers(0, len(changed) // 2, 2):
            changed[at] ^= int(rng.integers(1, 256))
        if where == "body":
            blob = sealed(bytes(changed))
        else:
            digest = hashlib.sha256(changed).digest()
            blob = MAGIC + len(changed).to_bytes(8, "little") + digest + bytes(changed)
        try:
            unpack(blob)
        except PolicyFileError:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize(
    "header",
    [
        [],
        "words",
        {"format": 1, "meta": []},
        {"format": "1", "meta": {}, "arrays": []},
        {"format": 0, "meta": {}, "arrays": []},
        {"format": 1, "meta": [], "arrays": []},
        {"format": 1, "meta": {}, "arrays": ["gram"]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "|O8", "shape": []}]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "<f8", "shape": [-1]}]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "<f8", "shape": [2**70, 0]}]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "<f8", "shape": [2**40]}]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "<f8", "shape": [1.5]}]},
        {"format": 1, "meta": {}, "arrays": [{"name": 1, "kind": "<f8", "shape": [0]}]},
        {"format": 1, "meta": {}, "arrays": [{"name": "a", "kind": "<f8", "shape": [0]}] * 2},
    ],
)
def test_a_wrong_header_is_refused(header):
    with pytest.raises(PolicyFileError):
        unpack(headed(header))


def test_bytes_that_belong_to_no_array_are_refused():
    assert unpack(headed({"format": 1, "meta": {}, "arrays": []})) == ({}, {})
    with pytest.raises(PolicyFileError, match="damaged"):
        unpack(headed({"format": 1, "meta": {}, "arrays": []}, b"\0"))
    with pytest.raises(PolicyFileError, match="damaged"):
        unpack(sealed(b"\5\0\0"))
    with pytest.raises(PolicyFileError, match="damaged"):
        unpack(sealed(len(b"[" * 100_000).to_bytes(8, "little") + b"[" * 100_000))


def test_the_folder_may_be_named_by_text(tmp_path):
    assert load(str(save(pack(META, ARRAYS), str(tmp_path)))) == pack(META, ARRAYS)
    assert isinstance(save(pack(META, ARRAYS), tmp_path), Path)
