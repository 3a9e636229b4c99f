"""Where the kitchen's limits come from, and how well each document was read."""

from __future__ import annotations

from scenewatch.model.rule import Mark, Source
from scenewatch.model.words import Text

CHILLED = Source(
    document=Text(
        "Catering operation code, 2018 (recommended range for chilled food: 0 to 8 °C)",
        "《餐饮服务食品安全操作规范》（2018年），冷藏推荐温度 0～8 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
FROZEN = Source(
    document=Text(
        "Catering operation code, 2018 (recommended for frozen food: below −12 °C)",
        "《餐饮服务食品安全操作规范》（2018年），冷冻推荐温度低于 −12 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
COLD_DISHES = Source(
    document=Text(
        "Catering operation code, 2018 (special room for cold dishes: at most 25 °C)",
        "《餐饮服务食品安全操作规范》（2018年），专间温度不高于 25 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
HOT_FOOD = Source(
    document=Text(
        "GB 31654-2021 and catering operation code, 2018 (hot holding: at least 60 °C)",
        "GB 31654-2021、《餐饮服务食品安全操作规范》（2018年），热藏温度不低于 60 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
ULTRAVIOLET = Source(
    document=Text(
        "WS/T 367-2012, GB 19258 (lamp in use: at least 70 µW/cm² at 1 m, measured after 5 min)",
        "WS/T 367-2012、GB 19258，使用中紫外线灯 1 米处辐照强度不低于 70 µW/cm²，开灯 5 分钟后测量",
    ),
    mark=Mark.WEB,
)
NOBODY_UNDER_ULTRAVIOLET = Source(
    document=Text(
        "WS/T 367-2012 and catering operation code (disinfection by ultraviolet: nobody in the room)",
        "WS/T 367-2012、《餐饮服务食品安全操作规范》，紫外线消毒应在无人条件下进行",
    ),
    mark=Mark.WEB,
)
HEAT_TIME = Source(
    document=Text(
        "GB 17988, two stars (at least 120 °C for 15 min; a minute is allowed for the reporting interval)",
        "GB 17988 二星级，不低于 120 ℃ 保持 15 分钟（上报周期允许 1 分钟误差）",
    ),
    mark=Mark.WEB,
)
HEAT = Source(
    document=Text(
        "GB 31654-2021, appendix B (infrared cabinet: at least 120 °C)",
        "GB 31654-2021 附录 B，红外消毒柜温度不低于 120 ℃",
    ),
    mark=Mark.WEB,
)
GAS_FIRST_STAGE = Source(
    document=Text(
        "GB/T 50493-2019 (combustible gas, first stage: at most 25 % LEL)",
        "GB/T 50493-2019，可燃气体一级报警不高于 25 % LEL",
    ),
    mark=Mark.WEB,
)
GAS_INSTRUMENTS = Source(
    document=Text(
        "Usual preset of gas instruments, a maker's page (10 % LEL)",
        "气体检测仪常用预设值（厂商资料）10 % LEL",
    ),
    mark=Mark.WEB,
)


def proposal(en: str, zh: str) -> Source:
    """Ours, with its reason."""
    return Source(document=Text(f"Proposal: {en}", f"建议值：{zh}"), mark=Mark.PROPOSAL)
