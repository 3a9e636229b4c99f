"""The pipeline itself: does every message arrive, and in time?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import health
from boards.frame import Board
from boards.layout import Section
from boards.links import PIPELINE, console_menu
from boards.palette import UNDRAWN
from boards.panels import rising
from boards.words import say

if TYPE_CHECKING:
    from boards.panels import Json


def board() -> Board:
    now = Section()
    now.add(health.pipeline_tiles(), width=24, height=4)
    now.add(health.connections(), width=24, height=5)
    now.add(_messages(), width=12, height=8)
    now.add(_readings(), width=12, height=8)
    lag = health.levels(
        say("Lag of the store", "存储延迟"),
        [("lag_s", say("lag", "延迟"))],
        unit="s",
        steps=rising(health.LAG_SOON_S, health.LAG_NOW_S, normal=UNDRAWN),
        description=say("Age of the oldest message not yet stored.", "最早一条未入库消息的时长。"),
    )
    now.add(lag, width=12, height=8)
    now.add(_waiting(), width=12, height=8)
    now.add(_devices(), width=12, height=8)
    now.add(_breaks(), width=12, height=8)
    machine = Section(title=say("Disk, processor and memory", "磁盘、处理器与内存"))
    journal = health.levels(say("Journal", "日志文件"), [("journal_bytes", say("size", "大小"))], unit="bytes")
    machine.add(journal, width=8, height=7)
    cpu = health.rates(
        say("Processor time", "处理器时间"), [("cpu_s", say("of a core", "单核占用"))], unit="percentunit"
    )
    machine.add(cpu, width=8, height=7)
    memory = health.levels(say("Memory", "内存"), [("memory_mib", say("in use", "占用"))], unit="mbytes")
    machine.add(memory, width=8, height=7)
    return Board(
        uid=PIPELINE,
        title=say("Pipeline", "管道"),
        question=say("Does every message arrive, and in time?", "每条消息都及时到达了吗？"),
        sections=[now, machine],
        more_links=[
            console_menu("ledger", say("Ledger", "消息台账")),
            console_menu("dead-letters", say("Dead letters", "死信")),
        ],
    )


def _messages() -> Json:
    fields = [
        ("received", say("received", "接收")),
        ("stored", say("stored", "入库")),
        ("duplicate", say("sent twice", "重复")),
        ("dead", say("dead letters", "死信")),
    ]
    return health.rates(say("Messages", "消息"), fields, unit="cps")


def _readings() -> Json:
    fields = [
        ("readings_stored", say("stored", "入库")),
        ("readings_late", say("late", "迟到")),
        ("readings_duplicate", say("twice", "重复")),
        ("values_refused", say("refused", "拒绝")),
    ]
    return health.rates(say("Readings", "读数"), fields, unit="cps")


def _waiting() -> Json:
    fields = [
        ("pending", say("pending", "待处理")),
        ("journal_waiting", say("in the journal", "日志中等待")),
        ("outbox_readings", say("readings for the store", "待入库读数")),
    ]
    return health.levels(say("Waiting", "等待"), fields, unit="short")


def _devices() -> Json:
    fields = [("devices", say("devices", "设备")), ("silent", say("silent", "无数据"))]
    return health.levels(say("Devices", "设备"), fields, unit="short")


def _breaks() -> Json:
    fields = [("reconnects", say("reconnects", "重连")), ("sessions_lost", say("sessions lost", "会话丢失"))]
    return health.levels(say("Connections made anew since the start", "启动以来重连次数"), fields, unit="short")
