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

def summarise(address, bucket, registry, batches, from_ms, now_ms):
    series = np.concatenate([b.series for b in batches]); t = np.concatenate([b.t_ms for b in batches])
    v = np.concatenate([b.value for b in batches]); f = np.concatenate([b.flag for b in batches])
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        w = (t - from_ms) // level.span_ms
        o = np.lexsort((w, series)); s_, w_, v_, f_ = series[o], w[o], v[o], f[o]
        ok = w_ < (now_ms - from_ms) // level.span_ms; s_, w_, v_, f_ = s_[ok], w_[ok], v_[ok], f_[ok]
        at = np.flatnonzero(np.r_[True, (s_[1:] != s_[:-1]) | (w_[1:] != w_[:-1])])
        good = f_ != 4
        lo = np.minimum.reduceat(v_, at); hi = np.maximum.reduceat(v_, at); n = np.add.reduceat(np.ones(len(v_), int), at)
        g = np.add.reduceat(good.astype(int), at); m = np.add.reduceat(np.where(good, v_, 0), at); fl = np.maximum.reduceat(f_, at)
        lines = []
        for i, a in enumerate(at.tolist()):
            name = registry.series_name(int(s_[a])); sc, si, de, ch = name.split(".")
            ty = registry.kinds[registry.series_kind[int(s_[a])]][1].key
            mean = f",{ch}_mean={m[i]/g[i]!r}" if g[i] else ""
            mean = mean.replace("np.float64(", "").replace(")", "")
            lines.append(f"{ty},device={de},scene={sc},site={si} {ch}_min={float(lo[i])!r},{ch}_max={float(hi[i])!r},{ch}_count={n[i]}i,{ch}_good={g[i]}i,{ch}_flag={fl[i]}i{mean} {from_ms + int(w_[a]) * level.span_ms}")
        post(address, bucket + level.suffix, lines)
