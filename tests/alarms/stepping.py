"""Steps an engine through a story. Times are seconds from a start; the box reports each 30 s."""

from tiny_scene import START_MS, Reading, batch_of, event, registry, scene

from scenewatch.alarms.engine import Engine

AIR, DOOR, POWER = 0, 1, 2


def at(t_s, value, *, series=AIR, received_s=None, **marks):
    received_ms = START_MS + round(1000 * (t_s if received_s is None else received_s))
    return Reading(series, START_MS + round(1000 * t_s), value, received_ms, **marks)


def each_30_s(*values, since_s=0):
    return [at(since_s + 30 * i, value) for i, value in enumerate(values)]


def box(*rules):
    of = scene(*rules)
    engine = Engine([of])
    engine.grow(registry("box", of=of))
    return engine


def short(transitions):
    """Such as `("raised", "warm", 60)`."""
    return [(t.step.value, t.rule.removeprefix("tiny."), (t.at_ms - START_MS) / 1000) for t in transitions]


def moves(engine, readings):
    return short(engine.step(batch_of(readings)))


def tick(engine, now_s):
    return short(engine.tick(START_MS + round(1000 * now_s)))


def told(engine, kind, at_s, *, received_s=None, live=True):
    """An event of the box."""
    received_ms = START_MS + round(1000 * (at_s if received_s is None else received_s))
    return short(engine.happened([event(0, kind, START_MS + 1000 * at_s, received_ms=received_ms, live=live)]))


def message(t_s, *, air=None, door=None, power=None, **marks):
    """One message of the box: what it brings, all of one time."""
    values = {AIR: air, DOOR: door, POWER: power}
    return [at(t_s, value, series=series, **marks) for series, value in values.items() if value is not None]


def story(engine, *messages):
    """Each message in a batch of its own."""
    return [move for readings in messages for move in moves(engine, readings)]
