"""Whatever a file holds, it is read or refused with a clear line; nothing else comes out."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from scenewatch.model.errors import ConfigurationError
from scenewatch.recorded.mapping import Mapping
from scenewatch.recorded.reading import Reader
from scenewatch.recorded.units import Known

KNOWN = {"temp": Known("temp", "°C", "°C")}
HEAD = "time,device,channel,value\n"
CELL = st.sampled_from(
    (
        "2024-05-01T00:00:00Z",
        "2024-05-01 00:10",
        "2024-05-01 00:20+0800",
        "1714521600",
        "d1",
        "一号",
        "temp",
        "4.5",
        "-1e3",
        "1,5",
        "nan",
        "'",
        '"',
        '""',
        '"a,b"',
        "",
        " ",
        "time",
        "\\",
        "\t",
        "; DROP TABLE cells; --",
    )
)
ROW = st.lists(CELL, min_size=1, max_size=6).map(",".join)
TEXT = st.lists(ROW, max_size=12).map(lambda rows: HEAD + "\n".join(rows))


def read(folder, data):
    path = folder / "data.csv"
    path.write_bytes(data)
    try:
        return Reader(Mapping(), KNOWN, "Europe/Berlin").read([path])
    except ConfigurationError as error:
        mistakes = error.mistakes
    assert all(str(path) in mistake.place for mistake in mistakes)
    return None


@settings(deadline=None, max_examples=40)
@given(
    text=TEXT, ending=st.sampled_from(("\n", "\r\n", "\r")), codec=st.sampled_from(("utf-8", "gb18030", "utf-16"))
)
@example(text=HEAD + '"', ending="\n", codec="utf-8")
@example(text=f'{HEAD}1,d1,"\n",4.5\n1', ending="\r\n", codec="utf-8")  # an end of line within a cell
def test_rows_of_any_cells_are_read_or_told(tmp_path_factory, text, ending, codec):
    found = read(tmp_path_factory.mktemp("fuzz"), text.replace("\n", ending).encode(codec))
    if found is not None:
        assert len(found) > 0
        assert (found.t_ms[1:] >= found.t_ms[:-1]).all()


@settings(deadline=None, max_examples=40)
@given(data=st.binary(max_size=200), head=st.booleans())
@example(data=b"\xfe\xff\x00", head=False)
def test_any_bytes_are_read_or_told(tmp_path_factory, data, head):
    read(tmp_path_factory.mktemp("fuzz"), (HEAD.encode() if head else b"") + data)
