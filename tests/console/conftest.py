"""A fake worker, the real console in front of it, and a real browser that tells on every error."""

import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from comes_true import knows_its_worker
from fake_desk import COOKIE
from fake_worker import FakeWorker, Served
from playwright.sync_api import expect, sync_playwright

from ports import free_port
from scenewatch.console.app import create_app

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")

VIEWPORT = {"width": 1280, "height": 800}
expect.set_options(timeout=15_000)  # on a busy machine five seconds are not always enough


class WorkersClock:
    """The console's clock goes with its worker's made-up time."""

    def __init__(self, worker):
        self.worker = worker

    def now_ms(self):
        return self.worker.now


@pytest.fixture
def worker():
    return FakeWorker()


class Stage:
    """Starts and stops the real servers when a test says so, each always at the same address."""

    def __init__(self, worker, console_port):
        self.worker = worker
        self.worker_port, self.console_port = free_port(), console_port
        self.worker_url = f"http://127.0.0.1:{self.worker_port}"
        self._running = {}

    def start_worker(self, worker=None):
        self._running["worker"] = Served((worker or self.worker).app(), self.worker_port)

    def start_console(self):
        app = create_app(self.worker_url, clock=WorkersClock(self.worker))
        self._running["console"] = Served(app, self.console_port)
        return f"http://127.0.0.1:{self.console_port}"

    def start(self):
        """Both; returns the console's address."""
        self.start_worker()
        return knows_its_worker(self.start_console())

    def until(self, is_so):
        """Waits for what comes about in another thread."""
        pause = threading.Event()
        for _ in range(200):
            if is_so():
                return
            pause.wait(0.05)
        raise AssertionError("it did not come about")

    def stop(self, which):
        self._running.pop(which).stop()

    def stop_all(self):
        """The console first, or it would ask the worker again while that goes."""
        for which in sorted(self._running):
            self.stop(which)


@pytest.fixture(scope="session")
def console_port():
    """One for all tests, so that the browser may keep what it is told to keep for ever."""
    return free_port()


@pytest.fixture
def stage(worker, console_port):
    stage = Stage(worker, console_port)
    yield stage
    stage.stop_all()


@pytest.fixture(scope="module")
def standing():
    """Servers that stay up for all tests of a file that only look."""
    stage = Stage(FakeWorker(), free_port())
    stage.start()
    yield stage
    stage.stop_all()


@pytest.fixture(scope="module")
def standing_with():
    """Begins a console in front of a worker that a file has prepared; gives its address."""
    stages = []

    def begin(worker):
        stages.append(Stage(worker, free_port()))
        return stages[-1].start()

    yield begin
    for stage in stages:
        stage.stop_all()


@pytest.fixture(scope="module")
def chromium():
    """No longer than a file: while it lives, its event loop runs in this thread, and no other can."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser.new_context(viewport=VIEWPORT, locale="en-GB", timezone_id="Asia/Shanghai")
        browser.close()


class Complaints(list):
    """What the browser had to say against the page; `expect` names what a test brings about on purpose."""

    def __init__(self):
        super().__init__()
        self.expected = ()

    def expect(self, *parts):
        self.expected = parts

    def real(self):
        return [c for c in self if not any(part in c for part in self.expected)]


@pytest.fixture
def complaints():
    return Complaints()


@pytest.fixture
def page(chromium, complaints):
    chromium.clear_cookies()
    page = chromium.new_page()
    page.set_default_timeout(15_000)
    page.on(
        "console", lambda m: complaints.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on(
        "request",
        lambda r: None if urlsplit(r.url).hostname == "127.0.0.1" else complaints.append(f"request to {r.url}"),
    )
    yield page
    page.close()
    assert not complaints.real()


@pytest.fixture
def signed_in(stage, page):
    """The console's address, for a browser that has signed in."""
    console = stage.start()
    page.context.add_cookies([{"name": COOKIE, "value": "signed", "url": console}])
    return console
