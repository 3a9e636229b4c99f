"""The fake worker with what operators do: sessions, acknowledging, unknown devices and commands."""

import msgspec
from fake_worker import MINUTE, FakeWorker, make_device, reading, text
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scenewatch.load.figures import Shown, figures

TOKEN = "open-sesame"  # noqa: S105 - made up
NAME = "Li Wei"
COOKIE = "scenewatch-session"
VALVE = "kitchen.s001.s001-valve"
STANDING = ("unacknowledged", "acknowledged")
VALVE_KIND = {
    "key": "gas_valve",
    "title": text("Gas valve", "燃气阀"),
    "every_ms": 30_000,
    "channels": [
        {
            "key": "valve",
            "title": text("Valve", "阀门"),
            "unit": "",
            "quantity": "state",
            "states": [{"value": 0, "text": text("open", "打开")}, {"value": 1, "text": text("shut", "关闭")}],
            "possible": {"low": 0, "high": 1},
            "expected": None,
        }
    ],
    "commands": [
        {
            "key": "shut",
            "title": text("Shut the valve", "关闭阀门"),
            "channel": "valve",
            "to": 1,
            "expires_after_s": 30,
        },
        {
            "key": "open",
            "title": text("Open the valve", "打开阀门"),
            "channel": "valve",
            "to": 0,
            "expires_after_s": 30,
        },
    ],
}


def problem(status, detail):
    return JSONResponse({"status": status, "detail": detail}, status, media_type="application/problem+json")


def is_operator(request):
    return request.cookies.get(COOKIE) == "signed"


class DeskWorker(FakeWorker):
    """Its state is read and changed by tests; `raised` is what `/alarms/raised` tells."""

    def __init__(self, *, sites=2):
        super().__init__(sites=sites)
        self.unknown = []
        self.commands = []
        self.raised = {}
        self.refusal = None
        self.origins = []
        valve = make_device("s001", "s001-valve", "gas_valve", text("School 1 gas valve", "第1小学 燃气阀"), [])
        valve["channels"] = [reading("valve", 0, self.now)]
        self.devices.append(valve)

    def stranger(self, device, **more):
        found = {
            "scene": "kitchen",
            "site": "s001",
            "device": device,
            "site_known": True,
            "messages": 12,
            "first_at": self.now - 60 * MINUTE,
            "last_at": self.now - MINUTE,
            "channels": ["air_temp", "door"],
            "suggested_type": "fridge",
            "types": ["fridge", "freezer"],
            "sample": '{"air_temp": 4.2}',
        }
        self.unknown.append(found | more)

    def answer(self, command, state, words):
        command.update(state=state, text=words, answered_at=self.now, answers=command["answers"] + 1)
        self.tell("commands", {"commands": [command]})

    def more_routes(self):
        return [
            Route("/api/v1/sessions", self._sign_in, methods=["POST"]),
            Route("/api/v1/sessions/current", self._session, methods=["GET", "DELETE"]),
            Route("/api/v1/alarms/acknowledge", self._acknowledge, methods=["POST"]),
            Route("/api/v1/alarms/raised", self._raised),
            Route("/api/v1/alarm-load", self._load),
            Route(
                "/api/v1/unknown-devices", lambda _: JSONResponse({"unknown_devices": self.unknown, "beyond": 0})
            ),
            Route("/api/v1/unknown-devices/adopt", self._adopt, methods=["POST"]),
            Route("/api/v1/commands", self._commands, methods=["GET", "POST"]),
        ]

    def scenes(self):
        (scene,) = super().scenes()
        fault = {"key": "p", "title": text("Compressor dead", "压缩机停机")}
        warm, ajar, silent = scene["rules"]
        ajar = ajar | {"table_text": text("Door “open” for 9 min", "柜门“打开”，持续 9 分钟")}
        kinds = [*scene["device_types"], VALVE_KIND]
        return [scene | {"device_types": kinds, "rules": [warm, ajar, silent], "faults": [fault]}]

    async def _sign_in(self, request):
        if (await request.json())["token"] != TOKEN:
            return problem(401, "this is no operator's token")
        answer = JSONResponse({"name": NAME, "expires_at": self.now + 720 * MINUTE})
        answer.set_cookie(COOKIE, "signed", path="/", httponly=True, samesite="strict")
        return answer

    async def _session(self, request):
        if request.method == "DELETE":
            answer = Response(status_code=204)
            answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
            return answer
        signed = is_operator(request)
        until = self.now + 720 * MINUTE
        return JSONResponse({"name": NAME if signed else None, "expires_at": until if signed else None})

    def _refused(self, request):
        self.origins.append((request.headers.get("origin"), f"http://{request.headers['host']}"))
        if not is_operator(request):
            return problem(401, "sign in first")
        return problem(409, self.refusal) if self.refusal else None

    async def _acknowledge(self, request):
        if refused := self._refused(request):
            return refused
        asked = await request.json()
        alarm = next(a for a in self.alarms if all(a[key] == asked[key] for key in asked))
        state = "acknowledged" if alarm["cleared_at"] is None else "normal"
        alarm.update(state=state, acknowledged_by=NAME, acknowledged_at=self.now)
        self.tell("alarms", {"alarms": [alarm]})
        return JSONResponse(alarm)

    def _alarms(self, request):
        """As the worker does: newest first, all that is asked must fit, `next` where there are more."""
        asked = dict(request.query_params)
        self.asked.append(asked)
        state, needle = asked.get("state", "all"), asked.get("search", "").lower()
        groups = {"standing": STANDING, "past": ("normal", "returned_unacknowledged")}
        wanted = [
            a
            for a in self.alarms
            if (state == "all" or a["state"] in groups.get(state, (state,)))
            and asked.get("priority") in (None, a["priority"])
            and asked.get("rule") in (None, a["rule"])
            and a["device"].startswith(asked.get("site", ""))
            and (needle in a["device"] or needle in a["rule"])
        ]
        wanted.sort(key=lambda a: (-a["raised_at"], a["rule"], a["device"]))
        begin = int(asked.get("before", "0~r~d").partition("~")[0])
        limit = int(asked["limit"])
        more = f"{begin + limit}~r~d" if len(wanted) > begin + limit else None
        return JSONResponse({"alarms": wanted[begin : begin + limit], "next": more})

    def _raised(self, request):
        newer = int(request.query_params["from"]) > self.now - 2 * 24 * 60 * MINUTE
        counts = {rule: day if newer else week for rule, (day, week) in self.raised.items()}
        return JSONResponse({"rules": [{"rule": rule, "count": n} for rule, n in counts.items()]})

    def _load(self, request):
        """As the worker does: by the real figures."""
        asked = request.query_params
        shown = [
            Shown(a["rule"], a["device"], a["priority"], a["raised_at"], a["cleared_at"])
            for a in self.alarms
            if a["device"].startswith(asked.get("site", ""))
        ]
        return JSONResponse(msgspec.to_builtins(figures(shown, int(asked["from"]), int(asked["to"]))))

    async def _adopt(self, request):
        if refused := self._refused(request):
            return refused
        asked = await request.json()
        (found,) = (u for u in self.unknown if u["device"] == asked["device"])
        self.unknown.remove(found)
        values = [reading("air_temp", 4.2, self.now)]
        self.devices.append(make_device(asked["site"], asked["device"], asked["type"], asked["name"], values))
        self.ledger |= {"dead": self.ledger["dead"] - 1}
        self.tell("ledger", self.ledger)
        return JSONResponse({"device": f"kitchen.{asked['site']}.{asked['device']}", "retried": found["messages"]})

    async def _commands(self, request):
        if request.method == "GET":
            wanted = [c for c in self.commands if c["device"] == request.query_params["device"]]
            return JSONResponse({"commands": wanted[::-1]})
        if refused := self._refused(request):
            return refused
        asked = await request.json()
        command = {
            "id": f"c{len(self.commands)}",
            "device": asked["device"],
            "name": asked["name"],
            "args": asked["args"],
            "state": "waiting",
            "asked_by": NAME,
            "asked_at": self.now,
            "expires_at": self.now + 30_000,
            "answered_at": None,
            "text": None,
            "answers": 0,
            "late": False,
        }
        self.commands.append(command)
        self.tell("commands", {"commands": [command]})
        return JSONResponse(command, 202)
