"""The fake worker of operators, which explains its alarms as the real one does."""

from fake_desk import STANDING, DeskWorker, problem
from fake_worker import MINUTE, text
from starlette.responses import JSONResponse
from starlette.routing import Route

VERSION = "0badcafe"


class ExplainingWorker(DeskWorker):
    """`more` is put over what it explains by itself."""

    def __init__(self, *, sites=2):
        super().__init__(sites=sites)
        self.more = {}

    def more_routes(self):
        return [Route("/api/v1/alarms/explanation", self._explanation), *super().more_routes()]

    def rule(self, name):
        rules = {f"kitchen.{rule['key']}": rule for rule in self.scenes()[0]["rules"]}
        return rules.get(name)

    def _explanation(self, request):
        asked = request.query_params
        this = (asked["rule"], asked["device"], asked["raised_at"])
        found = [a for a in self.alarms if (a["rule"], a["device"], str(a["raised_at"])) == this]
        if not found:
            return problem(404, "no such alarm")
        return JSONResponse(self.explained(found[0]) | self.more)

    def explained(self, alarm):
        rule = self.rule(alarm["rule"])
        at, device = alarm["raised_at"], alarm["device"]
        similar = [a for a in self.alarms if a["rule"] == alarm["rule"] and a["raised_at"] < at]
        end = self.now if alarm["state"] in STANDING else alarm["cleared_at"] + 30 * MINUTE
        return {
            "alarm": alarm | {"version": VERSION},
            "raised_priority": alarm["priority"],
            "rule": rule,
            "as_raised": True,
            "now": None,
            "values": [
                value("air_temp", text("Air temperature", "空气温度"), "°C", alarm["value"], at),
                value("door", text("Door", "门"), "", 1, at - 20_000, said=text("open", "打开"), flag="suspect")
                | {"test": "stuck"},
                value("battery", text("Battery", "电池"), "V", None, None, flag="missing") | {"role": "source"},
            ],
            "quality": {
                "from": at - 60 * MINUTE,
                "to": at,
                "readings": 118,
                "expected": 120,
                "good_share": 0.955,
                "suspect_share": 0.03,
                "fail_share": 0.015,
            },
            "events": [],
            "causes": [
                cause("door_open", text("Door left open", "柜门未关"), 15 * 60, proof=True),
                cause("p", text("Compressor dead", "压缩机停机"), 20 * 60),
            ],
            "course": [
                {"step": "raised", "at": at, "by": None},
                *([{"step": "cleared", "at": alarm["cleared_at"], "by": None}] if alarm["cleared_at"] else []),
            ],
            "cause": None,
            "follows": [],
            "similar": similar[:10],
            "similar_count": len(similar),
            "chart": {
                "device": device,
                "channel": "air_temp",
                "from": at - 60 * MINUTE,
                "to": end,
                "lines": rule["lines"] if rule else [],
            },
        }


def value(channel, title, unit, number, at, *, said=None, flag="good"):
    return {
        "channel": channel,
        "title": title,
        "unit": unit,
        "at": at,
        "value": number,
        "said": said,
        "flag": flag,
        "test": "none",
        "role": "watched",
    }


def cause(fault, title, minimum_s, *, proof=False):
    return {"fault": fault, "title": title, "minimum_s": minimum_s, "proof": proof}
