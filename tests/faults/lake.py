"""What must hold of a lake at every moment, whatever was killed."""

from causalrec.hashing import sha256_of_file
from causalrec.home import Home
from causalrec_assets.lake.storage.pointer import POINTER
from causalrec_assets.lake.store import Store


def assert_whole(home: Home) -> None:
    """Every version of every table that can be read has all its content, and it is what its pointer says."""
    store = Store(home.lake)
    pointers = [store.load(found) for found in store.objects.find() if POINTER.fullmatch(found.name)]
    assert pointers
    for pointer in pointers:
        assert sha256_of_file(store.data_path(pointer)) == pointer.data, pointer
        for name, expected in pointer.files.items():
            assert sha256_of_file(store.file_path(pointer, name)) == expected, (name, pointer)
