"""The seed that tests draw by is the checkout's own."""

import subprocess
import sys

import pytest

import seeds


@pytest.fixture
def checkout(tmp_path):
    for path in ("ingest/a.py", "tests/deep/b.py", "ingest/c.txt", "docs/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x = 1\n")
    return tmp_path


def test_the_same_files_give_the_same_seed(checkout):
    assert seeds.seed_of(checkout) == seeds.seed_of(checkout) < 2**32


@pytest.mark.parametrize("change", ["ingest/a.py", "tests/deep/b.py", "tests/new.py"])
def test_a_change_of_the_code_gives_another(checkout, change):
    before = seeds.seed_of(checkout)
    (checkout / change).write_text("x = 2\n")
    assert seeds.seed_of(checkout) != before


def test_a_name_is_told_from_what_is_in_the_file(checkout):
    before = seeds.seed_of(checkout)
    (checkout / "ingest/a.py").rename(checkout / "ingest/e.py")
    assert seeds.seed_of(checkout) != before


@pytest.mark.parametrize("change", ["ingest/c.txt", "docs/d.py"])
def test_nothing_else_changes_it(checkout, change):
    before = seeds.seed_of(checkout)
    (checkout / change).write_text("x = 2\n")
    assert seeds.seed_of(checkout) == before


def drawn(word):
    run = subprocess.run(
        [sys.executable, "-c", "import seeds; print(seeds.SEED, seeds.SAID)"],
        env={"PYTHONPATH": str(seeds.ROOT / "tests"), **({seeds.VARIABLE: word} if word else {})},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout.split()


def test_the_environment_names_another_or_any():
    assert drawn("7") == ["7", "TEST_SEED=7"]
    assert drawn(None)[0] == str(seeds.seed_of(seeds.ROOT))
    assert len({drawn("any")[0] for _ in range(3)}) > 1
