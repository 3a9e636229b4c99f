"""A cell is a number or a time as people write them, or it is told: never taken for something else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.recorded.csvfile import open_csv
from scenewatch.recorded.expressions import format_seen, number, time
from scenewatch.recorded.mapping import FileEntry
from scenewatch.recorded.notes import Notes

FINITE = st.floats(-1e7, 1e7).map(lambda x: round(x, 4))
CON = duckdb.connect()
CON.execute("SET TimeZone = 'UTC'")


def entry(**said):
    return FileEntry.model_validate(said)


def asked(expressions, texts):
    """Of each text, which they call x."""
    what = f"SELECT {', '.join(expressions)} FROM (SELECT unnest(?::VARCHAR[]) AS x)"  # noqa: S608 - what is tested
    return CON.execute(what, [texts]).fetchall()


def numbers(texts, said):
    """(value or None, whether it is spoilt) of each text."""
    found = number("x", "VARCHAR", said)
    return asked((found.value, found.spoilt), texts)


def german(value):
    return f"{value:,.4f}".translate(str.maketrans(",.", ".,"))


@settings(deadline=None, max_examples=40)
@given(st.lists(FINITE, min_size=1, max_size=20))
def test_numbers_come_back_as_they_were_written(values):
    for texts, said in (
        ([repr(v) for v in values], entry()),
        ([f" {v:e} " for v in values], entry()),
        ([f"{v:,.4f}" for v in values], entry(thousands=",")),
        ([german(v) for v in values], entry(decimal=",", thousands=".")),
        ([f"{v:.4f}".replace(".", ",") for v in values], entry(decimal=",")),
        ([f"{v:,.4f}".replace(",", " ") for v in values], entry(thousands=" ")),
    ):
        found = numbers(texts, said)
        assert [spoilt for _, spoilt in found] == [False] * len(values)
        assert [value for value, _ in found] == pytest.approx(values, rel=1e-5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,5", {}),
        ("1.5", {"decimal": ","}),
        ("1.2345,6", {"decimal": ",", "thousands": "."}),
        ("1,5", {"thousands": ","}),
        ("12,34", {"thousands": ","}),
        ("1,234,56", {"thousands": ","}),
        ("1'234", {}),
        ("５", {}),
        ("0x10", {}),
        ("inf", {}),
        ("1e999", {}),
        ("4.5 °C", {}),
        ("true", {}),
        ("=1+1", {}),
    ],
)
def test_what_is_no_number_by_the_map_is_spoilt(text, said):
    assert numbers([text], entry(**said)) == [(None, True)]


def test_what_stands_for_nothing_is_missing_and_not_spoilt():
    said = entry(missing=["-9999", "Off"])
    texts = [None, "", " ", "NA", "n/a", "NaN", "-", "-9999", "-9999.00", "off", " OFF "]
    assert numbers(texts, said) == [(None, False)] * len(texts)
    assert numbers(["-9999"], entry()) == [(-9999.0, False)]


def moments(texts, form):
    found = time("x", form)
    return asked((found.t_ms, found.in_utc), texts)


@settings(deadline=None, max_examples=40)
@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)), st.integers(-47, 56))  # noqa: DTZ001 - written without
def test_times_with_an_offset_are_moments_and_others_are_local(moment, quarters):
    moment = moment.replace(microsecond=0)
    local_ms = round(moment.replace(tzinfo=UTC).timestamp() * 1000)
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    utc_ms = round(zoned.timestamp() * 1000)
    offset = zoned.strftime("%z")
    texts = [zoned.isoformat(), f"{moment} {offset}", f"{moment}{offset[:3]}:{offset[3:]}"]
    assert moments(texts, "iso") == [(utc_ms, True)] * 3
    plain = [str(moment), moment.isoformat(), f"{moment:%Y/%m/%d %H:%M:%S}"]
    assert moments(plain, "iso") == [(local_ms, False)] * 3
    assert moments([f"{moment.isoformat()}Z"], "iso") == [(local_ms, True)]
    assert moments([str(local_ms)], "epoch_ms") == moments([str(local_ms // 1000)], "epoch_s") == [(local_ms, True)]
    assert moments([f"{moment:%d.%m.%Y %H:%M:%S}"], "%d.%m.%Y %H:%M:%S") == [(local_ms, False)]
    assert moments([f"{moment:%d.%m.%Y %H:%M:%S} {offset}"], "%d.%m.%Y %H:%M:%S %z") == [(utc_ms, True)]


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2024-05-01 00:00", "nonsense", "2024-05-01T00:10Z"], "iso"),
        (["2024/5/1 8:30"], "iso"),
        (["1714521600"], "epoch_s"),
        (["1714521600.5"], "epoch_s"),
        (["1714521600000"], "epoch_ms"),
        (["20240501083000"], "%Y%m%d%H%M%S"),
        (["2024年5月1日 08:30:00"], "%Y年%m月%d日 %H:%M:%S"),
        (["01.05.2024 08:30"], None),
        (["5/1/2024"], None),
        (["12"], None),
    ],
)
def test_a_format_is_seen_only_where_it_leaves_no_doubt(texts, form):
    assert format_seen(texts) == form


@pytest.mark.parametrize(
    ("text", "delimiter", "head"),
    [
        ("a,b\n", ",", ("a", "b")),
        ("a;b,c;d\n", ";", ("a", "b,c", "d")),
        ("a\tb\n", "\t", ("a", "b")),
        ("a|b\n", "|", ("a", "b")),
        ('"a, b",c\n', ",", ("a, b", "c")),
        ("alone\n", ",", ("alone",)),
    ],
)
def test_the_delimiter_is_seen_from_the_head(tmp_path, text, delimiter, head):
    path = tmp_path / "f.csv"
    path.write_text(text, "utf-8")
    found = open_csv(path, entry(), tmp_path, Notes())
    assert (found.delimiter, found.head) == (delimiter, head)


def test_a_packed_file_is_unpacked(tmp_path):
    import gzip  # noqa: PLC0415 - here alone

    path = tmp_path / "f.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "own").mkdir()
    assert open_csv(path, entry(), tmp_path / "own", Notes()).head == ("a", "b")
