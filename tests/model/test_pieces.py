"""Large state as MessagePack, piece by piece."""

import msgspec
import numpy as np
import pytest

from scenewatch.model.pieces import array_of

COLUMNS = (
    np.arange(6, dtype=np.int32),
    np.arange(6, dtype=np.int64).reshape(2, 3),
    np.arange(6)[::2],
    np.zeros(3, [("a", np.int8), ("b", np.float64)]),
    np.zeros(3, [("a", np.int8), ("b", np.float64)])["b"],
    np.empty(0, np.int64),
)


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_columns_are_read_back_as_their_bytes_between_other_values(column):
    packed = b"".join(array_of(7, column, {"a": [1.5]}, column))
    assert msgspec.msgpack.decode(packed) == [7, column.tobytes(), {"a": [1.5]}, column.tobytes()]


def test_a_column_in_one_stretch_is_not_copied():
    column = np.arange(6)
    *_, piece = array_of(column)
    column[0] = 9
    assert np.frombuffer(piece, np.int64)[0] == 9


def test_more_values_than_the_head_can_tell_are_refused():
    assert len(msgspec.msgpack.decode(b"".join(array_of(*range(15))))) == 15
    with pytest.raises(ValueError, match="16 values"):
        list(array_of(*range(16)))
