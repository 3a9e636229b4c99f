"""A worker's API with made-up kitchens, moved by hand: the shapes of the real one, none of its insides."""

import asyncio
import copy
import json
import math
import threading
from collections import Counter

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

NOW = 1_790_000_000_000
MINUTE = 60_000


def text(en, zh):
    return {"en": en, "zh": zh}


def channel(key, en, zh, unit, quantity, states=()):
    words = [{"value": value, "text": text(*names)} for value, names in enumerate(states)]
    possible = {"low": -60, "high": 2000}
    return {
        "key": key,
        "title": text(en, zh),
        "unit": unit,
        "quantity": quantity,
        "states": words,
        "possible": possible,
        "expected": None,
    }


CHANNELS = [
    channel("air_temp", "Air temperature", "空气温度", "°C", "temperature"),
    channel("door", "Door", "门", "", "state", [("closed", "关闭"), ("open", "打开")]),
    channel("compressor_power", "Compressor", "压缩机", "W", "power"),
    channel("defrost", "Defrost", "化霜", "", "state", [("off", "停止"), ("running", "进行中")]),
    channel("battery", "Battery", "电池", "V", "voltage"),
]
KINDS = [
    {"key": "fridge", "title": text("Fridge", "冷藏柜"), "every_ms": 30_000, "channels": CHANNELS},
    {"key": "freezer", "title": text("Freezer", "冷冻柜"), "every_ms": 30_000, "channels": CHANNELS},
    {"key": "gateway", "title": text("Gateway", "网关"), "every_ms": 30_000, "channels": []},
    {
        "key": "camera",
        "title": text("Camera", "摄像机"),
        "every_ms": 30_000,
        "channels": [],
        "events": [{"key": "no_hat", "title": text("Without a hat", "未戴工作帽")}],
    },
]
CODE = {
    "document": text("2018 catering operation code (SAMR), recommended", "《餐饮服务食品安全操作规范》2018，推荐"),
    "mark": "to be confirmed",
}


def rule(key, title, on, *, said, lines=(), priority, advice):
    return {
        "key": key,
        "title": title,
        "on": on,
        "text": said,
        "lines": list(lines),
        "priority": priority,
        "source": CODE,
        "advice": advice,
        "proof": "p",
    }


RULES = [
    rule(
        "fridge_warm",
        text("Fridge too warm", "冷藏柜温度过高"),
        ["fridge.air_temp"],
        said=text("Air temperature above 8 °C for 30 min", "柜内温度高于 8 °C，持续 30 分钟"),
        lines=[{"channel": "air_temp", "at": 8.0, "priority": "high"}],
        priority="high",
        advice=text("Move the food, then check the door and the compressor.", "先转移食品，再检查柜门和压缩机。"),
    ),
    rule(
        "door_ajar",
        text("Door left ajar", "柜门未关"),
        ["fridge.door", "freezer.door"],
        said=text("Door “open” for 5 min", "柜门“打开”，持续 5 分钟"),
        priority="medium",
        advice=text("Close the door and look whether something holds it open.", "关好柜门，检查是否有物品卡住。"),
    ),
    rule(
        "sensor_silent",
        text("Sensor silent", "传感器无数据"),
        ["fridge.air_temp", "freezer.air_temp"],
        said=text("no good reading for 10 min", "10 分钟无有效读数"),
        priority="low",
        advice=text("Check the battery and the distance to the gateway.", "检查电池及与网关的距离。"),
    ),
]
SCENES = [
    {
        "key": "kitchen",
        "title": text("School kitchens", "学校厨房"),
        "site_title": text("Kitchen", "厨房"),
        "zone": "Asia/Shanghai",
        "device_types": KINDS,
        "rules": RULES,
    }
]
COOLERS = (
    ("fridge-1", "fridge", "vegetable fridge", "蔬菜冷藏柜"),
    ("fridge-2", "fridge", "meat fridge", "肉类冷藏柜"),
    ("fridge-3", "fridge", "dairy fridge", "乳品冷藏柜"),
    ("freezer-1", "freezer", "freezer 1", "冷冻柜 1"),
    ("freezer-2", "freezer", "freezer 2", "冷冻柜 2"),
)


def reading(key, value, at, flag="good", test="none"):
    return {"key": key, "value": value, "at": at, "flag": flag, "test": test}


def make_device(site, device, kind, name, readings):
    return {
        "id": f"kitchen.{site}.{device}",
        "scene": "kitchen",
        "site": site,
        "device": device,
        "type": kind,
        "parent": "" if kind == "gateway" else f"{site}-gw",
        "name": name,
        "lat": 28.58,
        "lon": 121.37,
        "online": True,
        "channels": readings,
    }


def kitchens(sites, now):
    devices = []
    for i in range(1, sites + 1):
        site = f"s{i:03d}"
        devices.append(
            make_device(site, f"{site}-gw", "gateway", text(f"School {i} gateway", f"第{i}小学 网关"), [])
        )
        for j, (key, kind, en, zh) in enumerate(COOLERS):
            warmth = (4.1 if kind == "fridge" else -18.6) + 0.1 * ((i * 7 + j * 3) % 9)
            values = [
                reading("air_temp", round(warmth, 1), now - 1000 * j),
                reading("door", 0, now),
                reading("compressor_power", 84.0 + i + j, now),
                reading("defrost", 0, now),
                reading("battery", 3.02, now),
            ]
            name = text(f"School {i} canteen · {en}", f"第{i}小学食堂 · {zh}")
            devices.append(make_device(site, f"{site}-{key}", kind, name, values))
    return devices


class FakeWorker:
    """State that tests read and change; `tell` sends an event to every open stream. Safe from any thread."""

    def __init__(self, *, sites=2, now=NOW):
        self.now = now
        self.devices = kitchens(sites, now)
        self.tables = SCENES
        self.alarms = []
        self.ready = {"ready": True, "history": None, "reasons": []}
        self.ledger = {
            "received": 1200,
            "stored": 1190,
            "duplicate": 7,
            "dead": 1,
            "pending": 2,
            "readings": {"stored": 5950, "late": 4, "duplicate": 7, "by_test": {}},
            "journal": {"head": 1200, "bytes": 90_000, "state": "ok"},
            "source": {"state": "connected", "since": now},
            "store": {"position": 1198, "state": "ok"},
        }
        self.dead_letters = []
        self.events = []
        self.asked = []
        self.flags = {}
        self.peaks = {}
        self._streams = set()
        self._loop = None

    @property
    def is_heard(self):
        """Somebody follows the stream."""
        return bool(self._streams)

    def device(self, device_id):
        return next(d for d in self.devices if d["id"] == device_id)

    def tell(self, event, data):
        block = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        self._loop.call_soon_threadsafe(lambda: [q.put_nowait(block) for q in self._streams])

    def measure(self, device_id, key, value, *, flag="good", test="none", at=None):
        at = at or self.now
        channels = self.device(device_id)["channels"]
        next(c for c in channels if c["key"] == key).update(value=value, at=at, flag=flag, test=test)
        self.tell("values", {"at": at, "devices": {device_id: {key: [value, at, flag, test]}}})

    def raise_alarm(self, device_id, rule_key, value, *, priority="high", raised_at=None):
        alarm = {
            "rule": f"kitchen.{rule_key}",
            "device": device_id,
            "state": "unacknowledged",
            "priority": priority,
            "raised_at": raised_at or self.now,
            "cleared_at": None,
            "value": value,
            "flag": "good",
        }
        self.alarms.append(alarm)
        if self._loop:
            self.tell("alarms", {"alarms": [alarm]})
        return alarm

    def clear_alarm(self, alarm, cleared_at=None):
        alarm.update(state="returned_unacknowledged", cleared_at=cleared_at or self.now)
        if self._loop:
            self.tell("alarms", {"alarms": [alarm]})

    def readings(self, device_id, key, from_ms, to_ms):
        """A day with a door opening each two hours; whatever `flags` says of single minutes."""
        base = next(c["value"] for c in self.device(device_id)["channels"] if c["key"] == key)
        rows = []
        for t in range(from_ms - from_ms % 30_000 + 30_000, min(to_ms, self.now), 30_000):
            minute = t // MINUTE
            value, flag, test = base, "good", "none"
            if key == "door":
                value = 1 if minute % 120 < 3 else 0
            elif key == "air_temp":
                since = minute % 120
                value = round(
                    base + 0.4 * math.sin(minute / 4) + (3.2 * math.exp(-since / 12) if since > 2 else since), 1
                )
            value, flag, test = self.flags.get((self.now - t) // MINUTE, (value, flag, test))
            rows.append({"t": t, "value": value, "flag": flag, "test": test})
        return rows

    def app(self):
        routes = [
            Route("/api/v1/scenes", lambda _: JSONResponse({"scenes": self.scenes()})),
            Route("/api/v1/sites", self._sites),
            Route("/api/v1/devices", lambda _: JSONResponse({"devices": self.devices})),
            Route("/api/v1/alarms", self._alarms),
            Route("/api/v1/events", self._events),
            Route("/api/v1/ledger", lambda _: JSONResponse(self.ledger)),
            Route("/api/v1/ledger/sites", self._site_accounts),
            Route("/api/v1/ledger/devices", self._device_accounts),
            Route("/api/v1/dead-letters", self._dead_letters),
            Route("/api/v1/dead-letters/reasons", self._reasons),
            Route("/api/v1/readings", self._readings),
            Route("/api/v1/chart", self._chart),
            Route("/api/v1/stream", self._stream),
            Route("/api/v1/echo", self._echo),
            *self.more_routes(),
            Route("/healthz", lambda _: JSONResponse({"status": "ok"})),
            Route("/readyz", lambda _: JSONResponse(self.ready, 200 if self.ready["ready"] else 503)),
            Route("/metrics", lambda _: PlainTextResponse("sw_up 1\n")),
        ]
        app = Starlette(routes=routes)
        app.state.end = self._end
        return app

    def scenes(self):
        return self.tables

    def more_routes(self):
        """Nobody has signed in, and every device is known."""
        return [
            Route("/api/v1/sessions/current", lambda _: JSONResponse({"name": None, "expires_at": None})),
            Route("/api/v1/unknown-devices", lambda _: JSONResponse({"unknown_devices": [], "beyond": 0})),
        ]

    def _end(self):
        """Open streams would keep the server from stopping."""
        if self._loop:
            self._loop.call_soon_threadsafe(lambda: [q.put_nowait(None) for q in self._streams])

    def _sites(self, _):
        keys = sorted({(d["scene"], d["site"]) for d in self.devices})
        return JSONResponse({"sites": [{"id": f"{c}.{s}", "scene": c, "site": s, "devices": 6} for c, s in keys]})

    def _alarms(self, request):
        standing = request.query_params.get("state") == "standing"
        device = request.query_params.get("device")
        wanted = [a for a in self.alarms if not standing or a["state"] in ("unacknowledged", "acknowledged")]
        wanted = [a for a in wanted if device in (None, a["device"])]
        return JSONResponse({"alarms": wanted})

    def happen(self, device_id, kind, text="", *, level="info", at=None, media=""):
        event = {
            "position": 5000 + len(self.events),
            "device": device_id,
            "kind": kind,
            "level": level,
            "text": text,
            "at": at or self.now,
            "received_at": self.now,
            "lat": None,
            "lon": None,
            "media": media,
            "data": {},
        }
        self.events.insert(0, event)
        if self._loop:
            self.tell("events", {"events": [event]})

    def _events(self, request):
        asked = dict(request.query_params)
        first, last = int(asked.get("from", 0)), int(asked.get("to", 2**62))
        wanted = [
            e
            for e in self.events
            if asked.get("device", e["device"]) == e["device"]
            and e["device"].startswith(asked.get("site", ""))
            and first <= e["at"] < last
        ]
        return JSONResponse({"events": wanted[: int(asked["limit"])]})

    def refuse(self, reason, topic, payload, *, position=None, **more):
        """One more dead letter, the newest."""
        letter = {
            "position": 1000 + len(self.dead_letters) if position is None else position,
            "received_at": self.now - 5 * MINUTE,
            "topic": topic,
            "reason": reason,
            "payload": payload,
            "bytes": len(payload),
            "tries": 0,
            "asked_at": None,
            "taken_at": None,
        }
        self.dead_letters.insert(0, letter | more)

    def _dead_letters(self, request):
        asked = dict(request.query_params)
        self.asked.append(asked)
        wanted = [
            letter
            for letter in self.dead_letters
            if letter["position"] < int(asked.get("before", 10**9))
            and asked.get("reason", "").lower() in letter["reason"].lower()
            and (asked["state"] == "all" or (letter["taken_at"] is not None) == (asked["state"] == "taken"))
        ]
        return JSONResponse({"dead_letters": wanted[: int(asked["limit"])]})

    def _reasons(self, _):
        kinds = Counter(letter["reason"].partition(":")[0] for letter in self.dead_letters)
        return JSONResponse({"reasons": [{"reason": r, "count": n} for r, n in kinds.most_common()]})

    def account(self, owner=None):
        """All messages are of the first site's first device, the dead of no known device."""
        whole = {name: self.ledger[name] for name in ("received", "stored", "duplicate", "dead", "pending")}
        known = whole | {"received": whole["received"] - whole["dead"], "dead": 0}
        return known | {"missing": 3, "reused": 1} | ({"id": owner} if owner else {})

    def _accounts(self, name, ids):
        nothing = dict.fromkeys(self.account(), 0)
        rows = [self.account(one) if at == 0 else nothing | {"id": one} for at, one in enumerate(ids)]
        strangers = nothing | {"received": self.ledger["dead"], "dead": self.ledger["dead"]}
        total = {key: self.account()[key] + strangers[key] for key in nothing}
        return JSONResponse({"total": total, name: rows, "unassigned": strangers})

    def _site_accounts(self, _):
        return self._accounts("sites", sorted({f"{d['scene']}.{d['site']}" for d in self.devices}))

    def _device_accounts(self, request):
        site = request.query_params["site"]
        return self._accounts("devices", [d["id"] for d in self.devices if d["id"].startswith(f"{site}.")])

    def _readings(self, request):
        asked = dict(request.query_params)
        self.asked.append(asked)
        rows = self.readings(asked["device"], asked["channel"], int(asked["from"]), int(asked["to"]))
        body = {
            "device": asked["device"],
            "channel": asked["channel"],
            "unit": "°C",
            "readings": rows,
            "truncated": False,
        }
        return JSONResponse(body)

    def _chart(self, request):
        """Windows around the value now; `peaks` says of single ones how high they went, and with which flag."""
        asked = dict(request.query_params)
        self.asked.append(asked)
        device, _, key = asked["series"].rpartition(".")
        value = next(c["value"] for c in self.device(device)["channels"] if c["key"] == key)
        begin, points = int(asked["from"]), int(asked["points"])
        width = -(-(int(asked["to"]) - begin) // points)
        windows = []
        for n in range(points):
            high, flag = self.peaks.get(n, (value + 0.5, "good"))
            mean = None if flag == "fail" else value
            low = {"low": value - 0.5, "high": high, "mean": mean, "count": 60, "good": 60 if mean else 0}
            windows.append({"t": begin + n * width, "flag": flag} | low)
        about = {"device": device, "channel": key, "unit": "°C", "width_ms": width, "truncated": False}
        return JSONResponse(about | {"windows": [w for w in windows if w["t"] < self.now]})

    async def _echo(self, request):
        """What arrived: path, query, and the encodings asked for."""
        path, query = request.scope["raw_path"].decode(), request.scope["query_string"].decode()
        return PlainTextResponse(f"{path}?{query} {request.headers.get('accept-encoding')}")

    async def _stream(self, _):
        self._loop = asyncio.get_running_loop()
        queue = asyncio.Queue()
        self._streams.add(queue)
        everything = {
            d["id"]: {c["key"]: [c["value"], c["at"], c["flag"], c["test"]] for c in d["channels"]}
            for d in self.devices
        }

        async def blocks():
            yield f"event: values\ndata: {json.dumps({'at': self.now, 'devices': everything})}\n\n"
            try:
                while (block := await next_of(queue)) is not None:
                    yield block
            finally:
                self._streams.discard(queue)

        return StreamingResponse(blocks(), media_type="text/event-stream")

    def copy(self):
        """The same world in a worker that was started again."""
        other = FakeWorker(now=self.now)
        other.devices, other.alarms = copy.deepcopy(self.devices), copy.deepcopy(self.alarms)
        other.ledger, other.flags, other.peaks, other.events = self.ledger, self.flags, self.peaks, self.events
        return other


async def next_of(queue):
    """What comes next, or a sign of life in time."""
    try:
        return await asyncio.wait_for(queue.get(), 5)
    except TimeoutError:
        return ": alive\n\n"


class Served:
    """An app on a real socket, in a thread of its own; once stopped, all its connections are gone."""

    def __init__(self, app, port):
        self._app = app
        config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error")
        self._server = uvicorn.Server(config)
        self._started = threading.Event()
        self._startup, self._server.startup = self._server.startup, self._start_and_tell
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert self._started.wait(10), "the server did not start"

    def stop(self):
        self._server.should_exit = True
        getattr(self._app.state, "end", bool)()
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _start_and_tell(self, sockets=None):
        await self._startup(sockets)
        self._started.set()
