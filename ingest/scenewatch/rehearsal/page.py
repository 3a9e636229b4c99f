"""A report as one HTML page that needs nothing else: no request leaves it, and everything told is escaped."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from statistics import median
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scenewatch.model.load import judged
from scenewatch.rehearsal import charts
from scenewatch.rehearsal.compare import compare
from scenewatch.rehearsal.report import Named
from scenewatch.rehearsal.rows import ALARM_OUTCOMES, FAULT_OUTCOMES, Rows
from scenewatch.rehearsal.texts import SIGNS, TEXTS, text
from scenewatch.rehearsal.wording import NOTHING, Times, number, share, span

if TYPE_CHECKING:
    from scenewatch.model.load import Load
    from scenewatch.rehearsal.report import Found, Report, ScoreEntry

PACKAGE = "scenewatch.rehearsal"
SHARES = ("_share", "priority_")


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure and what it means."""

    title: Named
    value: Named
    what: Named


@dataclass(frozen=True, slots=True)
class Bound:
    """One figure of the load beside what is acceptable."""

    title: Named
    value: str
    at_most: str
    verdict: str


def page(report: Report) -> str:
    """The whole page of one run."""
    times = Times(report.zone)
    rows = Rows(report)
    found = {
        "report": report,
        "times": times,
        "tiles": tiles(report),
        "kinds": _kinds(report),
        "load": load_part(report.load, times),
        "excerpts": [c for c in (charts.excerpt_chart(e, times) for e in report.excerpts) if c is not None],
        "rows": rows,
        "fault_outcomes": FAULT_OUTCOMES,
        "alarm_outcomes": ALARM_OUTCOMES,
    }
    return render("report", **found)


def compared(before: Report, after: Report) -> str:
    """The whole page of a change: two runs of the same data by two sets of rules."""
    found = compare(before, after)
    old, new = Rows(before), Rows(after)
    times = Times(after.zone)
    texts = [{rule.key: rule.text for rule in report.rules} for report in (before, after)]
    nothing = _both(NOTHING)
    of_before, of_after = bounds(before.load), bounds(after.load)
    scores = (score_lines(before.score), score_lines(after.score)) if before.score and after.score else ((), ())
    return render(
        "compared",
        after=after,
        times=times,
        found=found,
        shift=median(pair.later_s for pair in found.same) if found.same else 0.0,
        scores=list(zip(*scores, strict=True)),
        bounds=list(zip(of_before, of_after, strict=True)),
        rules=[(change, *(known.get(change.rule, nothing) for known in texts)) for change in found.rules],
        title_of=lambda key: new.rule(key) if new.rule(key) != _both(key) else old.rule(key),
        gained=new.faults_at(found.gained),
        lost=old.faults_at(found.lost),
        new=new.alarms_at(found.new),
        gone=old.alarms_at(found.gone),
        alarm_outcomes=ALARM_OUTCOMES,
    )


def tiles(report: Report) -> list[Tile]:
    """Without labels there is nothing to score."""
    load, score = report.load, report.score
    a_load = Tile(text("head.load"), _both(number(load.mean_10_min)), text("head.load.what", peak=load.peak_10_min))
    if score is None:
        return [Tile(text("head.raised"), _both(number(len(report.alarms))), text("head.raised.what")), a_load]
    chance = report.chance
    by_chance = f"{share(chance.recall)} · {share(chance.precision)}" if chance else NOTHING
    judged_alarms = score.owned + score.false
    return [
        _tile("recall", share(score.recall), n=score.detected, all=score.faults),
        _tile("precision", share(score.precision), n=score.owned, all=judged_alarms, neutral=score.neutral),
        _tile("median", span(score.delay_median_s)),
        _tile("p95", span(score.delay_p95_s)),
        _tile("worst", span(score.delay_worst_s)),
        _tile("false", number(score.false_a_device_month), n=score.false, nuisance=score.nuisance),
        a_load,
        _tile("chance", by_chance),
    ]


def _tile(key: str, value: str | Named, **parts: object) -> Tile:
    shown = value if isinstance(value, Named) else _both(value)
    return Tile(text(f"head.{key}"), shown, text(f"head.{key}.what", **parts))


def _both(words: str) -> Named:
    return Named(words, words)


def _kinds(report: Report) -> dict[str, Any]:
    """Each kind with its row of delays, and the one axis of all rows."""
    kinds = report.score.recall_by_kind if report.score else []
    strips = charts.Strips(max((k.delay_worst_s or 0.0 for k in kinds), default=0.0))
    drawn: list[tuple[Found, charts.Strip]] = []
    for kind in kinds:
        counted = (f for f in report.faults if f.kind == kind.kind and f.findable and not f.censored)
        delays = [f.delay_s for f in counted if f.detected and f.delay_s is not None]
        drawn.append((kind, strips.strip(delays, kind.delay_median_s)))
    return {"rows": drawn, "ticks": strips.ticks}


def load_part(load: Load, times: Times) -> dict[str, Any]:
    """Figures beside their bounds, and bars over time."""
    bars = charts.bar_chart(load, times)
    return {"load": load, "bounds": bounds(load), "bars": bars, "step": span(load.step_ms / 1000)}


def bounds(load: Load) -> list[Bound]:
    return [
        Bound(
            title=text(one.key),
            value=(share if _is_share(one.key) else number)(one.value),
            at_most=(share if _is_share(one.key) else number)(one.at_most),
            verdict="unjudged" if one.met is None else "met" if one.met else "not_met",
        )
        for one in judged(load)
    ]


def _is_share(key: str) -> bool:
    return any(part in key for part in SHARES)


def score_lines(score: ScoreEntry) -> list[Tile]:
    """The figures of a score that two runs are compared by; `what` is not told."""
    nothing = _both("")
    return [
        Tile(text("head.recall"), _both(share(score.recall)), nothing),
        Tile(text("head.precision"), _both(share(score.precision)), nothing),
        Tile(text("head.median"), span(score.delay_median_s), nothing),
        Tile(text("head.p95"), span(score.delay_p95_s), nothing),
        Tile(text("head.worst"), span(score.delay_worst_s), nothing),
        Tile(text("head.false"), _both(number(score.false_a_device_month)), nothing),
    ]


def render(template: str, **found: Any) -> str:
    """With style and script in it, which alone the page's policy lets through."""
    style, script = _inline("page.css"), _inline("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hashed(style)}'; script-src '{_hashed(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return _templates().get_template(f"{template}.html").render(**found, policy=policy, style=style, script=script)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(share=share, number=number, span=span)
    environment.globals.update(t=text, known=TEXTS, signs=SIGNS, nothing=NOTHING, charts=charts, min=min)
    return environment


@cache
def _inline(name: str) -> Markup:
    """A file of this package, so nobody's text is let through with it."""
    return Markup(files(PACKAGE).joinpath("templates", name).read_text("utf-8"))  # noqa: S704 - see above


def _hashed(content: str) -> str:
    return f"sha256-{base64.b64encode(sha256(str(content).encode()).digest()).decode()}"
