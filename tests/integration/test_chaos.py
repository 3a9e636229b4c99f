"""Whatever happens around it, nothing is lost, nothing comes twice, and alarms stand as they should."""

import pytest
from chaos_rounds import Rounds
from chaos_scene import Setup

from seeds import SAID, SEED

pytestmark = pytest.mark.integration

ROUNDS = 2
LONGEST_S = 1.5
A_SECOND = 400


@pytest.mark.timeout(300)
@pytest.mark.parametrize("setup", [Setup("nats", "influx"), Setup("mosquitto", "duck")], ids=str)
def test_after_mishaps_everything_that_was_acknowledged_is_stored_exactly_once(tmp_path, setup, request):
    if setup.store == "influx":
        request.getfixturevalue("influxd")
    rounds = Rounds(tmp_path, setup, SEED, ROUNDS, longest_s=LONGEST_S, a_second=A_SECOND)
    try:
        for number in range(ROUNDS):
            verdict = rounds.round()
            assert verdict.good, f"{SAID}, {setup}, round {number}: {verdict}"
    finally:
        rounds.end()
