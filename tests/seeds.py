"""The seed of what tests draw by chance: of the checkout, so that the same code is always tried in the same way.

A change of any file draws anew. TEST_SEED=<number> plays another, TEST_SEED=any draws one; a failure names it.
"""

import hashlib
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "TEST_SEED"
ANY = "any"
BITS = 32


def seed_of(folder: Path) -> int:
    """By names and content of the modules in it that the code under test and its tests consist of."""
    told = hashlib.sha256()
    for path in sorted(p for part in ("ingest", "tests") for p in (folder / part).rglob("*.py")):
        told.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        told.update(path.read_bytes())
    return int.from_bytes(told.digest()[: BITS // 8], "big")


def chosen() -> int:
    """Once chosen it stands in the environment: processes of one run play the same."""
    word = os.environ.get(VARIABLE) or str(seed_of(ROOT))
    seed = secrets.randbits(BITS) if word == ANY else int(word)
    os.environ[VARIABLE] = str(seed)
    return seed


SEED = chosen()
SAID = f"{VARIABLE}={SEED}"
