"""A kernel is compiled anew when anything changed that is compiled into it, and only then."""

import os
import shutil
import subprocess
import sys

import pytest
from numba import config

from scenewatch.model import compiled

INNER = "from scenewatch.model.compiled import within\n@within\ndef inner(x):\n    return x + {}\n"
LIMIT = "LIMIT = {}\n"
OUTER = """from scenewatch.alarms.inner import inner
from scenewatch.alarms.limit import LIMIT
from scenewatch.model.compiled import compiled
@compiled
def outer(x):
    return inner(x) * LIMIT
"""
ASK = """from scenewatch.alarms.outer import outer
print(outer(1), sum(outer.stats.cache_hits.values()))"""


@pytest.fixture
def package(tmp_path):
    """A package of the same name with one kernel out of three files."""
    for part in ("scenewatch", "scenewatch/model", "scenewatch/alarms"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "__init__.py").touch()
    shutil.copy(compiled.__file__, tmp_path / "scenewatch/model/compiled.py")
    write(tmp_path, "inner", INNER.format(1))
    write(tmp_path, "limit", LIMIT.format(10))
    write(tmp_path, "outer", OUTER)
    return tmp_path


def write(package, name, text):
    (package / f"scenewatch/alarms/{name}.py").write_text(text)


def ask(package, **environment):
    """What the kernel returns, and whether it came out of the cache."""
    kept = {k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    whole = kept | {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    said = subprocess.run([sys.executable, "-c", ASK], env=whole, capture_output=True, text=True, check=True)
    value, hits = said.stdout.split()
    return int(value), int(hits)


@pytest.mark.parametrize("chosen", [False, True], ids=["beside the source", "in a chosen folder"])
def test_a_change_of_an_inner_part_or_a_constant_is_seen(package, tmp_path, chosen):
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} if chosen else {}
    assert ask(package, **where) == (20, 0)
    assert ask(package, **where) == (20, 1)
    write(package, "inner", INNER.format(2))
    assert ask(package, **where) == (30, 0)
    write(package, "limit", LIMIT.format(100))
    assert ask(package, **where) == (300, 0)
    write(package, "unrelated", "")
    assert ask(package, **where) == (300, 1)
    base = tmp_path / "cache" if chosen else package / "scenewatch/alarms/__pycache__"
    assert len(list(base.glob("alarms.outer-*"))) == 1  # what was compiled of older text is gone


def test_who_may_not_write_beside_the_source_keeps_kernels_at_home(package, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)  # the machine's administrator may write everywhere
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert compiled._base(package / "scenewatch/alarms/outer.py", "") == tmp_path / "home/scenewatch"


def test_where_others_keep_their_kernels_stays_as_it_was():
    before = config.CACHE_DIR
    compiled.compiled(compiled.stamp)
    assert before == config.CACHE_DIR
