"""`inventory`, `rules` and `check` as they are typed: files in, files out, and nothing half done."""

from __future__ import annotations

import json

import pytest

from scenewatch.inventory.files import read_devices
from scenewatch.model.ruleversion import version_of
from scenewatch.scenes import SCENES
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

HEAD = "scene,site,device,type,parent,name_en,name_zh,lat,lon"
GATEWAY = "kitchen,north,gw,gateway,,Gateway,网关,31.2304,121.4737"
FRIDGE = "kitchen,north,f-1,fridge,gw,Fridge,一号冰箱,31.2304,121.4737"


@pytest.fixture
def shop(tmp_path, typed):
    """A folder with settings, and typing in it."""

    class Shop:
        config = tmp_path / "scenewatch.toml"

        def file(self, *rows, name="devices.csv", encoding="utf-8"):
            path = tmp_path / name
            path.write_bytes("\n".join([HEAD, *rows, ""]).encode(encoding))
            return path

        def type(self, *arguments):
            return typed(*arguments, "--config", self.config)

        def devices(self):
            database = Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")
            try:
                return Inventory(database).devices()
            finally:
                database.close()

    made = Shop()
    made.config.write_text('[database]\nurl = "sqlite:///rows.sqlite"\n')
    return made


def test_an_import_tells_its_encoding_and_what_it_changes(shop):
    _, out, _ = shop.type("inventory", "import", shop.file(GATEWAY, encoding="gb18030"))
    assert out.decode() == (
        "1 devices imported (read as GB18030: 1 new, 0 changed, 0 unchanged); no worker has yet taken them\n"
    )
    shop.type("inventory", "import", shop.file(FRIDGE))  # its gateway is in the inventory
    asked = ("inventory", "import", shop.file(GATEWAY, FRIDGE.replace("Fridge", "Cold")), "--json")
    status, out, _ = shop.type(*asked)
    assert (status, json.loads(out)) == (
        0,
        {
            "new": 0,
            "changed": 1,
            "unchanged": 1,
            "dry_run": False,
            "taken": False,
            "encoding": "UTF-8",
            "warnings": [],
        },
    )
    assert [d.name.en for d in shop.devices()] == ["Cold", "Gateway"]


def test_a_dry_run_says_the_same_and_changes_nothing(shop, tmp_path):
    status, out, _ = shop.type("inventory", "import", shop.file(GATEWAY), "--dry-run")
    assert (status, out.decode()) == (0, "read as UTF-8: 1 new, 0 changed, 0 unchanged; nothing was imported\n")
    assert not (tmp_path / "rows.sqlite").exists()


def test_with_any_mistake_nothing_is_imported_and_all_are_told(shop):
    shop.type("inventory", "import", shop.file(GATEWAY))
    file = shop.file(FRIDGE, GATEWAY.replace("gateway", "fridge"), FRIDGE, "kitchen,north,x,oven,,,,,")
    status, out, errors = shop.type("inventory", "import", file)
    assert (status, out) == (2, b"")
    assert [line.partition(f"{file}, ")[2].partition(":")[0] for line in errors] == ["line 3", "line 4", "line 5"]
    assert "is a gateway and would become a fridge" in errors[0]
    assert [d.id for d in shop.devices()] == ["kitchen.north.gw"]
    changed = shop.file(GATEWAY.replace("gateway", "fridge"))
    assert shop.type("inventory", "import", changed, "--change-types")[0] == 0
    assert [d.type for d in shop.devices()] == ["fridge"]


@pytest.mark.parametrize("name", ["out.csv", "out.geojson"])
def test_what_is_exported_is_imported_as_no_change(shop, tmp_path, name):
    shop.type("inventory", "import", shop.file(GATEWAY, FRIDGE))
    out = tmp_path / name
    assert shop.type("inventory", "export", "--out", out)[:2] == (0, f"2 devices written to {out}\n".encode())
    assert read_devices(out, SCENES).devices == shop.devices()
    counts = json.loads(shop.type("inventory", "import", out, "--json")[1])
    assert (counts["new"], counts["changed"], counts["unchanged"]) == (0, 0, 2)


def test_the_list_is_for_people_and_programs(shop):
    south = GATEWAY.replace("north", "south").replace("Gateway", "<b>")
    shop.type("inventory", "import", shop.file(GATEWAY, FRIDGE, south))
    status, out, _ = shop.type("inventory", "list", "--site", "kitchen.north")
    assert status == 0
    assert [line.split()[:2] for line in out.decode().splitlines()[1:]] == [
        ["kitchen.north.f-1", "fridge"],
        ["kitchen.north.gw", "gateway"],
    ]
    (device,) = json.loads(shop.type("inventory", "list", "--site", "south", "--json")[1])["devices"]
    assert (device["device"], device["name"], device["lon"]) == ("gw", {"en": "<b>", "zh": "网关"}, 121.4737)


def test_without_a_database_there_is_nothing_to_list(shop):
    status, out, errors = shop.type("inventory", "list")
    assert (status, out) == (1, b"")
    assert "there is no database" in errors[0]


# --- rules and check ---------------------------------------------------------------------------------------


def test_rules_are_listed_with_the_numbers_in_force(shop):
    rule = SCENES[0].rules[0]
    key = f"{SCENES[0].key}.{rule.key}"
    with shop.config.open("a") as file:
        file.write(f'[limits."{key}"]\non_delay_s = 7200\n')
    status, out, _ = shop.type("rules", "list", "--json")
    told = {f"{r['scene']}.{r['key']}": r for r in json.loads(out)["rules"]}
    assert status == 0
    assert len(told) == sum(len(scene.rules) for scene in SCENES)
    assert (told[key]["numbers"], told[key]["on_delay_s"], told[key]["proof"]) == ("operators", 7200, rule.proof)
    assert [r["numbers"] for r in told.values()].count("operators") == 1
    assert "for 2 h" in told[key]["text"]["en"]
    head, *lines, nothing, last = shop.type("rules", "list", "--language", "zh")[1].decode().splitlines()
    assert (head.split()[1], len(lines), nothing) == ("version", len(told), "")
    line = next(line for line in lines if line.startswith(f"{key} "))
    assert rule.title.zh in line
    assert line.split()[1] == told[key]["version"] != version_of(SCENES[0], rule)
    whole = json.loads(out)
    assert last == f"rule set {whole['version']}: {len(told)} rules, operators' limits {whole['limits_version']}"


def test_check_finds_mistakes_of_all_that_the_worker_is_told_at_once(shop, tmp_path):
    operators = tmp_path / "operators"
    operators.touch(mode=0o600)
    operators.write_text("li short\n")
    with shop.config.open("a") as file:
        file.write('[http]\noperators_file = "operators"\n[limits."kitchen.nothing"]\nlimit = 1\n')
    bad = shop.file(GATEWAY, GATEWAY)
    status, out, errors = shop.type("check", "--inventory", bad)
    assert (status, out) == (2, b"")
    assert [
        what for what in ("kitchen.nothing", "operators_file", f"{bad}, line 3") if what not in "".join(errors)
    ] == []
    status, out, _ = shop.type("check", "--inventory", bad, "--json")
    assert (status, len(json.loads(out)["mistakes"])) == (2, len(errors))


def test_check_warns_of_what_may_be_meant(shop):
    odd = GATEWAY.replace(",gw,", ",x,").replace("31.2304,121.4737", "50.1,10.1")
    rows = [GATEWAY.replace(",gw,", f",g{n},").replace("31.2304,121.4737", "10,50") for n in range(3)]
    file = shop.file(*rows, odd)
    status, out, errors = shop.type("check", "--inventory", file)
    rules = shop.type("rules", "list")[1].decode().splitlines()[-1]
    assert (status, out.decode()) == (0, f"well: {', '.join(s.key for s in SCENES)}, {file}\n{rules}\n")
    assert "line 5: lat 50.1 and lon 10.1 may be swapped" in errors[0]
