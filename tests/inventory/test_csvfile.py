"""The inventory file: what is kept, what is wrong, and how each mistake is told."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inventory_scenes import SCENES

from scenewatch.inventory.checks import COLUMNS, TURNS, Checks
from scenewatch.inventory.csvfile import format_rows, parse_rows
from scenewatch.inventory.files import read_devices, write_devices
from scenewatch.model.errors import ConfigurationError, ScenewatchError
from scenewatch.model.place import Device
from scenewatch.model.words import Text

HEAD = ",".join(COLUMNS)
GOOD = "kitchen,north,fridge-1,cold_room,,Cold room,冷库,31.2304,121.4737"


def parse_text(text, known=(), *, retype=False):
    checks = Checks("devices.csv", SCENES, known, retype=retype)
    parse_rows(text, checks)
    return checks.devices()


def parse(*lines, head=HEAD, end="\n"):
    return parse_text(end.join([head, *lines]) + end)


def mistakes(*lines, head=HEAD):
    with pytest.raises(ConfigurationError) as told:
        parse(*lines, head=head)
    return [str(m).removeprefix("devices.csv, ") for m in told.value.mistakes]


def cell(column, text):
    """The good row with one cell exchanged."""
    cells = GOOD.split(",")
    cells[COLUMNS.index(column)] = text
    return ",".join(cells)


def test_a_device_has_its_place_names_and_further_columns():
    head, row = HEAD + ",owner,asset", "kitchen,north,f1,cold_room,gw,Cold room,冷库,31.5,-121,学校,"
    assert parse(row, "kitchen,north,gw,gateway,,,,,,,7", head=head) == [
        Device(
            scene="kitchen",
            site="north",
            device="f1",
            type="cold_room",
            parent="gw",
            name=Text("Cold room", "冷库"),
            lat=31.5,
            lon=-121.0,
            properties={"owner": "学校"},
        ),
        Device(scene="kitchen", site="north", device="gw", type="gateway", properties={"asset": "7"}),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_files_of_all_systems_are_read(tmp_path, end, mark):
    path = tmp_path / "devices.csv"
    path.write_bytes(mark + end.join([HEAD, "", GOOD, ",,,,,,,,", ""]).encode())
    assert [d.id for d in read_devices(path, SCENES).devices] == ["kitchen.north.fridge-1"]


def test_columns_may_stand_in_any_order():
    turned = ",".join(reversed(COLUMNS))
    assert parse(",".join(reversed(GOOD.split(","))), head=turned) == parse(GOOD)


def test_no_rows_are_no_devices():
    assert parse() == []


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("scene", "kitchn", "unknown scene 'kitchn': use drainage or kitchen"),
        ("scene", "", "unknown scene '': use drainage or kitchen"),
        ("type", "fridge", "unknown type 'fridge' in scene kitchen: use cold_room or gateway"),
        ("site", "", "site is empty: give it an id"),
        ("site", "a/b", "site 'a/b' cannot be part of a topic: use at most 64 letters a-z A-Z, digits, _ and -"),
        (
            "device",
            "冷库",
            "device '冷库' cannot be part of a topic: use at most 64 letters a-z A-Z, digits, _ and -",
        ),
        (
            "device",
            "f1 ",
            "device 'f1 ' cannot be part of a topic: use at most 64 letters a-z A-Z, digits, _ and -",
        ),
        ("parent", "gw", "parent 'gw' is not a device of site kitchen.north: add it or leave the cell empty"),
        ("parent", "fridge-1", "device fridge-1 is its own parent: leave the cell empty"),
        ("lat", "31.2N", "lat '31.2N' is not a number: write degrees with a point, such as 31.23"),
        ("lat", "nan", "lat 'nan' is not a number: write degrees with a point, such as 31.23"),
        ("lon", "1_2", "lon '1_2' is not a number: write degrees with a point, such as 31.23"),
        ("lon", "１２", "lon '１２' is not a number: write degrees with a point, such as 31.23"),
        ("lat", "", "only one of lat and lon is given: give both or none"),
        ("lat", "200", "lat 200 is out of range: -90 to 90 degrees"),
        ("lon", "-180.5", "lon -180.5 is out of range: -180 to 180 degrees"),
        ("lon", "1e999", "lon inf is out of range: -180 to 180 degrees"),
        ("name_en", "a\0b", "name_en has a zero character: remove it"),
        ("name_en", '"two\nlines"', "name_en has a line break: remove it"),
        ("name_zh", "a\x07b", "name_zh has a control character (U+0007): remove it"),
        ("name_zh", "a\u202eb", "name_zh has a sign that turns the text around (U+202E): remove it"),
        ("name_en", "x" * 201, "name_en has 201 letters: 200 are allowed"),
    ],
)
def test_each_mistake_names_line_and_mend(column, text, told):
    assert mistakes(cell(column, text)) == [f"line 2: {told}"]


def test_an_id_of_65_letters_is_too_long():
    assert parse(cell("device", "a" * 64))
    assert len(mistakes(cell("device", "a" * 65))) == 1


def test_latitude_and_longitude_exchanged_are_one_mistake():
    row = "kitchen,north,f1,cold_room,,,,121.4737,31.2304"
    assert mistakes(row) == ["line 2: lat 121.474 and lon 31.2304 are swapped: exchange them"]


def test_a_device_twice_names_the_first_line():
    told = "line 4: device kitchen.north.fridge-1 is in line 2 already: remove or rename one"
    assert mistakes(GOOD, cell("site", "south"), GOOD) == [told]


def test_a_parent_must_be_of_the_same_site():
    gateway = "kitchen,south,gw,gateway,,,,,"
    assert len(mistakes(gateway, cell("parent", "gw"))) == 1
    assert len(parse("kitchen,north,gw,gateway,,,,,", cell("parent", "gw"))) == 2


def test_a_parent_may_be_in_the_inventory_already():
    gateway = Device(scene="kitchen", site="north", device="gw", type="gateway")
    text = f"{HEAD}\n{cell('parent', 'gw')}\n"
    assert [d.parent for d in parse_text(text, [gateway])] == ["gw"]


def test_parents_that_go_round_are_told_once_and_with_the_inventorys_own():
    rows = ["kitchen,n,a,gateway,b,,,,", "kitchen,n,b,gateway,c,,,,", "kitchen,n,d,gateway,a,,,,"]
    known = [Device(scene="kitchen", site="n", device="c", type="gateway", parent="a")]
    with pytest.raises(ConfigurationError) as told:
        parse_text("\n".join([HEAD, *rows]), known)
    (mistake,) = told.value.mistakes
    assert str(mistake) == "devices.csv, line 2: parents go round in a circle, a to b to c to a: break it"


def test_another_type_for_a_device_is_a_mistake_unless_it_is_meant():
    before = [Device(scene="kitchen", site="north", device="fridge-1", type="gateway")]
    text = f"{HEAD}\n{GOOD}\n"
    with pytest.raises(
        ConfigurationError, match="fridge-1 is a gateway and would become a cold_room: give it a new"
    ):
        parse_text(text, before)
    assert parse_text(text, before, retype=True)[0].type == "cold_room"


def test_names_are_kept_as_they_are_up_to_200_letters():
    hostile = '<script>alert("1")</script>'.ljust(200, "库")
    quoted = hostile.replace('"', '""')
    assert parse(cell("name_zh", f'"{quoted}"'))[0].name.zh == hostile


def test_all_mistakes_come_at_once_by_line():
    told = mistakes(cell("parent", "x"), "too,short", cell("scene", "zoo"), "kitchen,a b,c d,gateway,,,,x,y")
    assert [line.split(":")[0] for line in told] == ["line 2", "line 3", "line 4", *["line 5"] * 4]
    assert told[1] == "line 3: has 2 cells, the head has 9: mend commas and quotes"


def test_lines_are_the_files_own_behind_cells_of_several_lines():
    row = GOOD + ',"two\nlines"'
    assert mistakes(row, "", row.replace("kitchen", "zoo"), head=HEAD + ",note")[0].startswith("line 5: ")


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (HEAD.replace(",lat", ""), f"line 1: missing column lat: the head needs {HEAD}"),
        (
            "scene,site,device",
            f"line 1: missing columns type, parent, name_en, name_zh, lat, lon: the head needs {HEAD}",
        ),
        (
            HEAD.replace("name_en", "Name EN").replace(",lon", ",longitude"),
            f"line 1: missing columns name_en, lon (are 'Name EN', 'longitude' meant?): the head needs {HEAD}",
        ),
        (HEAD + "".join(f",p{n}" for n in range(92)), "line 1: has 101 columns: 100 are allowed"),
        (HEAD + ",owner,owner", "line 1: column owner occurs more than once: remove or rename one"),
        (HEAD + ",", "line 1: column 10 has no name: name or remove it"),
        ("", f"line 1: no head: the first line must be {HEAD}"),
    ],
)
def test_a_wrong_head_is_told_alone(head, told):
    rows = [GOOD.replace("kitchen", "zoo")] if head else []
    assert mistakes(*rows, head=head) == [told]


def test_a_quote_without_end_is_told():
    assert mistakes(cell("name_en", '"never')) == ["line 2: not CSV (unexpected end of data): mend the quotes"]


@pytest.mark.parametrize("sign", [";", "\t"])
def test_what_spreadsheets_part_by_other_signs_is_read(sign):
    assert parse(GOOD.replace(",", sign), head=HEAD.replace(",", sign)) == parse(GOOD)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv: cannot be read: No such file"):
        read_devices(tmp_path / "nowhere.csv", SCENES)
    with pytest.raises(ScenewatchError, match="cannot be written: No such file"):
        write_devices(tmp_path / "nowhere" / "devices.csv", [])


HAZARDS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-1"]


@pytest.mark.parametrize("text", HAZARDS)
def test_no_cell_is_written_that_a_spreadsheet_would_run(text):
    device = Device(
        scene="kitchen", site="-1", device="f1", type="cold_room", name=Text(text, text), properties={"p": text}
    )
    cells = list(csv.reader(io.StringIO(format_rows([device]), newline="")))[1]
    assert not [c for c in cells if c[:1] in ("=", "+", "-", "@", "\t", "\r")]


def test_a_file_for_spreadsheets_begins_with_a_byte_order_mark(tmp_path):
    write_devices(tmp_path / "devices.csv", parse(GOOD))
    assert (tmp_path / "devices.csv").read_bytes().startswith(b"\xef\xbb\xbfscene,")


def test_a_property_named_like_a_column_is_not_written():
    with pytest.raises(ConfigurationError, match="property lat: has a column's name"):
        format_rows([Device(scene="kitchen", site="a", device="b", type="gateway", properties={"lat": "1"})])


IDS = st.text("abcXYZ019_-", min_size=1, max_size=64)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SIGNS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=sorted(TURNS))
WORDS = st.text(SIGNS, max_size=12) | st.sampled_from([h for h in HAZARDS if h.isprintable()])
CELLS = st.text(SIGNS | st.sampled_from("\t\r\n"), min_size=1, max_size=12) | st.sampled_from(HAZARDS)
DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180)) | st.just((None, None))
PROPERTY_NAMES = WORDS.map(str.strip).filter(lambda n: n and n not in COLUMNS)


@st.composite
def inventories(draw):
    """A device's parent is one of those before it, so that none goes round in a circle."""
    devices = []
    for site in draw(st.lists(IDS, max_size=3, unique=True)):
        ids = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
        for at, device in enumerate(ids):
            lat, lon = draw(DEGREES)
            devices.append(
                Device(
                    scene="kitchen",
                    site=site,
                    device=device,
                    type=draw(st.sampled_from(["cold_room", "gateway"])),
                    parent=draw(st.sampled_from(["", *ids[:at]])),
                    name=Text(draw(WORDS), draw(WORDS)),
                    lat=lat,
                    lon=lon,
                    properties=draw(st.dictionaries(PROPERTY_NAMES, CELLS, max_size=3)),
                )
            )
    return devices


@settings(max_examples=100)
@given(inventories())
@pytest.mark.parametrize("name", ["devices.csv", "devices.geojson"])
def test_what_is_written_is_read_the_same(tmp_path_factory, name, devices):
    path = tmp_path_factory.getbasetemp() / name
    write_devices(path, devices)
    assert read_devices(path, SCENES).devices == devices
    assert read_devices(path, SCENES, devices).devices == devices  # and is no change


@settings(max_examples=100)
@given(st.lists(st.text(CHARACTERS | st.sampled_from(',"\n\r;'), max_size=40), max_size=5))
def test_any_text_gives_devices_or_mistakes_never_anything_else(lines):
    for head in (HEAD, ""):
        try:
            parse_text("\n".join([head, *lines]))
        except ConfigurationError as told:
            assert told.mistakes  # noqa: PT017  # both ends are right; a mistake must say something
