"""What operators do, in a real browser on a real worker and broker: acknowledge, adopt, and command a device."""

import json
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import replace

import paho.mqtt.client as paho
import pytest
from comes_true import knows_its_worker
from fake_worker import Served
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import expect

from ends import DEADLINE_S, HandClock, wait_for
from operators_rig import TOKENS, OperatorsRig
from ports import free_port
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.console.app import create_app
from scenewatch.embedded.broker import command
from scenewatch.model import backoff
from scenewatch.model.ruleversion import version_of
from scenewatch.model.scene import Command
from scenewatch.model.words import Text
from scenewatch.worker import adoption

COOL = Command(key="cool", title=Text("Cool", "冷却"), channel="temp", to=5.0, input="cooler")
VAT, NEW = "brine.w1.vat-1", "brine.w1.vat-7"


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def broker(folder):
    port = free_port()
    with subprocess.Popen(command(folder, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: listens(port))
        yield port
        process.terminate()


class Hand:
    """Publishes what somebody would by hand, and answers commands as a device does."""

    def __init__(self, port):
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._obey
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe("sw/brine/+/+/command", 1)

    def publish(self, where, payload):
        self.client.publish(where, payload, 1).wait_for_publish(DEADLINE_S)

    def _obey(self, client, _, message):
        answer = {"id": json.loads(message.payload)["id"], "ok": False, "text": "the lid is <open>"}
        client.publish(message.topic.replace("command", "result"), json.dumps(answer), 1)

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def cooled(vat_scene):
    """The vats can be told to cool."""
    vat, gateway = vat_scene.device_types
    return replace(vat_scene, device_types=(replace(vat, commands=(COOL,)), gateway))


@pytest.fixture(scope="module")
def console(cooled, tmp_path_factory):
    """In front of a worker that has one hot vat, and hears of one that it does not know."""
    clock, folder = HandClock(START_MS + 60_000), tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as monkeypatch, broker(folder) as port:
        monkeypatch.setattr(app, "LOOK_S", 0.02)
        monkeypatch.setattr(adoption, "FRESH_S", -1.0)
        monkeypatch.setattr(backoff, "FIRST_S", 0.05)
        rig = OperatorsRig(folder, cooled, clock, monkeypatch, broker=f"mqtt://127.0.0.1:{port}")
        wait_for(lambda: rig.worker.source_state == "connected")
        hand = Hand(port)
        for n in range(4):
            at_ms = START_MS + n * 10_000
            hand.publish(topic("vat-1").decode(), telemetry(at_ms, b="x", n=n, temp=85))
            hand.publish(topic("vat-7").decode(), telemetry(at_ms, b="x", n=n, temp=20 + n))
        wait_for(lambda: rig.worker.store.position() >= 8)
        served = Served(create_app(rig.url, clock=clock), console_port := free_port())
        yield knows_its_worker(f"http://127.0.0.1:{console_port}")
        served.stop()
        hand.end()
        rig.close()


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def sign_in(page):
    page.wait_for_url("**/sign-in?**")
    page.locator('[name="token"]').fill(TOKENS["li"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    is_live(page)


def test_an_alarm_is_acknowledged_by_key_and_is_on_record(console, page, vat_scene):
    page.goto(f"{console}/alarms?lang=en")
    is_live(page)
    line = page.locator(".line")
    expect(line).to_contain_text("Vat hot")
    expect(line).to_contain_text("85.0 °C")
    expect(page.locator(".pages .badge").first).to_contain_text("1")
    page.keyboard.press("j")
    page.keyboard.press("a")
    sign_in(page)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(line).to_contain_text("seen by li")
    expect(page.locator("#who")).to_have_text("li")
    expect(page.locator(".pages .badge").first).to_have_attribute("data-zero", "yes")
    page.goto(f"{console}/alarms?lang=en&state=acknowledged&search=VAT-1&site=brine.w1&priority=high")
    expect(line).to_have_count(1)
    page.goto(f"{console}/rules?lang=en")
    rule = page.locator("[id='brine.vat_hot']")
    expect(rule).to_contain_text("24 h: 1 · 7 days: 1")
    expect(rule).to_contain_text(version_of(vat_scene, vat_scene.rule("vat_hot")))


def test_an_unknown_device_is_adopted_by_a_click_and_its_first_message_is_in_its_chart(console, page):
    page.goto(f"{console}/unknown?lang=en")
    is_live(page)
    one = page.locator(f'[data-key="{NEW}"]')
    expect(one).to_contain_text("temp")
    expect(one.locator('[name="type"]')).to_have_value("vat")
    one.get_by_role("button", name="Adopt").click()
    sign_in(page)
    one.get_by_role("button", name="Adopt").click()
    expect(page.locator("#told")).to_contain_text(f"{NEW} is in the inventory; 4 kept messages were taken.")
    expect(page.locator("#record")).to_contain_text("Every device that publishes is in the inventory.")
    page.locator("#told a").click()
    expect(page.locator("figcaption").first).to_contain_text("4 readings")
    expect(page.locator("figcaption").first).to_contain_text("lowest 20.0 °C")


def test_a_command_goes_to_the_device_and_its_answer_to_the_page(console, page):
    page.goto(f"{console}/device?lang=en&device={VAT}")
    is_live(page)
    page.get_by_role("link", name="Cool").click()
    expect(page.locator("#confirm")).to_contain_text("Temperature becomes 5.0")
    page.get_by_role("button", name="Send").click()
    sign_in(page)
    page.get_by_role("link", name="Cool").click()
    page.get_by_role("button", name="Send").click()
    sent = page.locator(".sent li")
    expect(sent).to_contain_text("refused")
    expect(sent).to_contain_text("the lid is <open>")
    expect(sent).to_contain_text("by li")
