"""Killed at random moments, nothing is lost, nothing comes twice, and alarms stand as they stood."""

import random

import pytest
from chaos import Rounds

pytestmark = pytest.mark.integration


@pytest.mark.timeout(240)
def test_every_acknowledged_message_is_stored_exactly_once_after_kills(tmp_path):
    seed = random.SystemRandom().getrandbits(32)
    rounds = Rounds(tmp_path, seed)
    try:
        for number in range(3):
            verdict = rounds.round()
            told = f"seed {seed}, round {number}: {verdict}"
            assert verdict.lost == 0, told
            assert verdict.twice == 0, told
            assert verdict.balanced, told
            assert verdict.ledger["stored"] == verdict.sent, told
            assert verdict.standing == rounds.raised, told
            assert len(verdict.retained) == len(rounds.raised), told
    finally:
        rounds.end()
