"""Stand-ins until levels and points exist."""
import httpx, numpy as np
from collections import defaultdict
from scenewatch.model.level import Level

def esc(s): return s.replace(",", "\\,").replace(" ", "\\ ").replace("=", "\\=")
def post(address, db, lines):
    for i in range(0, len(lines), 5000):
        r = httpx.post(f"{address}/write", params={"db": db, "precision": "ms"}, content="\n".join(lines[i:i+5000]).encode(), timeout=60)
        assert r.status_code == 204, r.text

def val(v): return f"{v}i" if isinstance(v, int) else repr(v) if isinstance(v, float) else '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'

def record(address, bucket, points):
    by = defaultdict(list)
    for p in points:
        tags = "".join(f",{k}={esc(v)}" for k, v in sorted(p.tags.items()))
        by[p.keep].append(f"{p.measurement}{tags} " + ",".join(f"{k}={val(v)}" for k, v in p.fields.items()) + f" {p.t_ms}")
    for keep, lines in by.items():
        post(address, bucket + keep.suffix, lines)
