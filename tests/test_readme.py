"""What the README shows as a diff is one: applied to the sources, every scene still proves itself."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIFFS = re.findall(r"```diff\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.skipif(shutil.which("git") is None, reason="git applies the diffs")
@pytest.mark.parametrize("diff", DIFFS, ids=["rule", "device type"])
def test_a_diff_of_the_readme_applies_and_the_scene_proves_itself(diff, tmp_path):
    without = shutil.ignore_patterns("*.pyc", "*.tmp.*")  # but with the kernels as they were compiled
    for folder in ("ingest", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=tmp_path, check=True)
    there = os.environ | {"PYTHONPATH": str(tmp_path / "ingest")}
    for command in (["-m", "scenewatch", "check"], ["-m", "pytest", "-q", "tests/test_every_scene.py"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=there, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_two_of_them():
    assert len(DIFFS) == 2
