"""The catalogue of texts, and numbers and spans in words: the same from the server as from the scripts."""

import re
from pathlib import Path

import msgspec
import pytest
from fake_worker import CHANNELS
from hypothesis import given, settings
from hypothesis import strategies as st

import scenewatch.console
from scenewatch.console.picture import State
from scenewatch.console.shapes import Channel
from scenewatch.console.texts import SIGNS, TEXTS, Language, catalogue, translate
from scenewatch.console.wording import clauses, number, span_text, value_text, with_unit
from scenewatch.model.alarm import AlarmState
from scenewatch.model.flags import Flag
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.rule import Mark
from scenewatch.model.scene import Severity
from scenewatch.model.words import Text

HOME = Path(scenewatch.console.__file__).parent
CALL = re.compile(r"""(?<![\w.])(?:t|translate)\(\s*(f?)["'`]([^"'`]+)["'`](\s*~)?""")
HOLE = re.compile(r"\{[^}]*\}")


def used_keys():
    """Every key in a call of t() or translate(); a key put together at run time counts by its beginning."""
    for path in (*HOME.glob("*.py"), *HOME.glob("templates/*.html"), *HOME.glob("static/*.js")):
        for is_f, key, joined in CALL.findall(path.read_text()):
            open_end = bool(joined) or "${" in key or bool(is_f)
            yield path.name, re.split(r"\$?\{", key)[0], open_end


def test_every_text_is_there_in_both_languages_with_the_same_holes():
    for key, text in TEXTS.items():
        assert text.en.strip(), key
        assert text.zh.strip(), key
        assert sorted(HOLE.findall(text.en)) == sorted(HOLE.findall(text.zh)), key


def test_every_used_key_exists():
    used = list(used_keys())
    assert len(used) > 60
    for place, key, open_end in used:
        assert any(k.startswith(key) for k in TEXTS) if open_end else key in TEXTS, (place, key)


def test_every_text_is_used():
    whole = {key for _, key, open_end in used_keys() if not open_end}
    begun = {key for _, key, open_end in used_keys() if open_end}
    everything = "".join(path.read_text() for path in HOME.glob("static/*.js"))
    unused = [k for k in TEXTS if k not in whole and not k.startswith(tuple(begun)) and f'"{k}"' not in everything]
    assert unused == []


@pytest.mark.parametrize(
    ("prefix", "members"),
    [
        ("state.", [s.value for s in State]),
        ("alarm.", [s.value for s in AlarmState]),
        ("flag.", [f.name.lower() for f in Flag]),
        ("test.", [t.name.lower() for t in QualityTest if t is not QualityTest.NONE]),
        ("mark.", [m.value for m in Mark]),
        ("level.", [level.value for level in Severity]),
    ],
)
def test_every_word_of_the_model_has_a_text(prefix, members):
    for member in members:
        assert prefix + member in TEXTS


def test_every_state_and_flag_has_a_sign_and_no_two_states_share_one():
    signs = [SIGNS[s] for s in State]
    assert len(set(signs)) == len(signs)
    assert all(f.name.lower() in SIGNS for f in Flag)


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [
        (-5, "0 s", "0秒"),
        (0, "0 s", "0秒"),
        (59.9, "59 s", "59秒"),
        (95, "1 min 35 s", "1分钟35秒"),
        (599, "9 min 59 s", "9分钟59秒"),
        (1439, "23 min", "23分钟"),
        (3600, "1 h", "1小时"),
        (3661, "1 h 1 min", "1小时1分钟"),
        (86400 + 30, "1 d", "1天"),
        (90000, "1 d 1 h", "1天1小时"),
    ],
)
def test_spans_in_words(seconds, en, zh):
    assert (span_text(seconds, Language.EN), span_text(seconds, Language.ZH)) == (en, zh)


def test_a_rule_s_text_comes_apart_into_its_clauses():
    said = Text("above 8 °C; not while “Power cut” stands", "高于8 °C；“停电”期间不报警")
    assert clauses(said, Language.EN) == ["above 8 °C", "not while “Power cut” stands"]
    assert clauses(said, Language.ZH) == ["高于8 °C", "“停电”期间不报警"]


def test_values_in_words():
    temperature, door, power, _, battery = (msgspec.convert(c, Channel) for c in CHANNELS)
    assert with_unit(temperature, -18.04, Language.EN) == "−18.0 °C"
    assert with_unit(temperature, -0.04, Language.EN) == "0.0 °C"
    assert with_unit(temperature, None, Language.EN) == "–"
    assert with_unit(power, 84.6, Language.ZH) == "85 W"
    assert with_unit(battery, 3.018, Language.ZH) == "3.02 V"
    assert value_text(door, 1, Language.ZH) == "打开"
    assert value_text(door, 7, Language.EN) == "7"


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_number_reads_back(value, places):
    text = number(value, places)
    assert abs(float(text.replace("−", "-")) - value) <= 0.5 * 10**-places + 1e-6
    assert "-" not in text
    assert float(text.replace("−", "-")) != 0 or not text.startswith("−")


def test_scripts_say_the_same_as_the_server(stage, page):
    """`words.js` and `wording.py` are two; one table holds them together."""
    page.goto(f"{stage.start()}/?lang=en")
    module = page.locator('link[href$="/words.js"]').get_attribute("href")
    spans = [0, 999, 59_900, 95_000, 599_000, 600_000, 1_439_000, 3_600_000, 3_661_000, 86_430_000, 90_000_000]
    numbers = [(v, p) for v in (-18.04, -0.04, 0.0, 4.26, 99.95, 1234.5, -1e-9) for p in (0, 1, 2)]
    said = page.evaluate(
        """async ([module, spans, numbers]) => {
            const words = await import(module);
            words.readAbout();
            const old = words.t("old", { age: "3 s" });
            return [spans.map(words.spanText), numbers.map(([v, p]) => words.number(v, p)), old];
        }""",
        [module, spans, numbers],
    )
    assert said[0] == [span_text(ms / 1000, Language.EN) for ms in spans]
    assert said[1] == [number(v, p) for v, p in numbers]
    assert said[2] == translate("old", Language.EN, age="3 s")
    assert len(catalogue(Language.ZH)) == len(TEXTS)
