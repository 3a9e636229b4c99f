"""Certificates as they lie in files and as a real broker presents them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from authority import Authority

from ends import HandClock
from scenewatch.doctor.certificates import certificates, endpoints
from scenewatch.doctor.findings import Verdict
from scenewatch.model.clock import SystemClock

DAY_MS = 86_400_000


def test_one_that_is_right_says_until_when(examined, broker, findings):
    found = findings(certificates, examined(broker["good"]))
    assert (found[Verdict.FAILED], found[Verdict.WARNING]) == ([], [])
    ca, server = found[Verdict.OK]
    assert ca.startswith("broker.ca_file")
    assert server.startswith("the broker's certificate is valid until ")
    assert server.endswith(" 364 days")


PRESENTED = {
    "expired": (Verdict.FAILED, "the broker's certificate has expired on "),
    "early": (Verdict.FAILED, "the broker's certificate is not valid before "),
    "soon": (Verdict.WARNING, "the broker's certificate is valid only until "),
    "elsewhere": (Verdict.FAILED, "the broker's certificate is not for 127.0.0.1 "),
}


@pytest.mark.parametrize(("server", "verdict", "line"), [(k, *v) for k, v in PRESENTED.items()], ids=PRESENTED)
def test_what_is_wrong_with_the_presented_one_is_told_once(examined, broker, findings, server, verdict, line):
    found = findings(certificates, examined(broker[server]))
    assert [one[: len(line)] for one in found[Verdict.FAILED] + found[Verdict.WARNING]] == [line]
    assert len(found[verdict]) == 1


def test_one_that_nobody_we_trust_has_signed(examined, broker, keys, findings):
    subject = examined(broker["good"], more=f'ca_file = "{keys}/stranger.pem"')
    [told] = findings(certificates, subject)[Verdict.FAILED]
    assert told.startswith("nobody we trust has signed the broker's certificate (")
    assert told.endswith("-> name the authority that signed it in broker.ca_file")


def test_a_port_without_tls(examined, broker, findings):
    [told] = findings(certificates, examined(broker["plain"]))[Verdict.FAILED]
    assert "speaks no TLS that we understand" in told
    assert told.endswith("-> check scheme and port in broker.url")


def test_our_own_certificate_and_key_must_belong_together(examined, keys, findings):
    pair = f'cert_file = "{keys}/good.pem"\nkey_file = "{keys}/soon.key"'
    [told] = findings(certificates, examined(1, more=pair))[Verdict.FAILED]
    assert told.endswith("-> name the two that were made together")
    pair = f'cert_file = "{keys}/soon.pem"\nkey_file = "{keys}/soon.key"'
    found = findings(certificates, examined(1, more=pair))
    assert found[Verdict.FAILED] == []
    assert len(found[Verdict.WARNING]) == 1, "its days are counted too"


def test_files_that_are_none(examined, tmp_path, findings):
    (tmp_path / "text.pem").write_text("no certificate")
    [told] = findings(certificates, examined(1, more=f'ca_file = "{tmp_path}/text.pem"'))[Verdict.FAILED]
    assert "text.pem holds no certificate" in told
    [told] = findings(certificates, examined(1, more=f'ca_file = "{tmp_path}/nothing.pem"'))[Verdict.FAILED]
    assert "nothing.pem cannot be read: No such file or directory" in told


def test_the_days_are_counted_by_the_clock_that_is_given(examined, tmp_path, findings):
    Authority(tmp_path, "old").certificate("mine", last=timedelta(days=40))
    subject = examined(1, more=f'cert_file = "{tmp_path}/mine.pem"\nkey_file = "{tmp_path}/mine.key"')
    now_ms = SystemClock().now_ms()
    for days, verdict in ((5, Verdict.OK), (15, Verdict.WARNING), (41, Verdict.FAILED)):
        object.__setattr__(subject, "clock", HandClock(now_ms + days * DAY_MS))
        assert any("mine.pem" in line for line in findings(certificates, subject)[verdict]), days


def test_every_server_that_speaks_tls_is_looked_at(examined):
    subject = examined(8883, store="influx+https://store.example/?bucket=b", grafana="https://grafana.example")
    assert [(e.name, e.host, e.port) for e in endpoints(subject)] == [
        ("the broker", "127.0.0.1", 8883),
        ("the store", "store.example", 443),
        ("Grafana", "grafana.example", 443),
    ]
    assert list(endpoints(examined(1883, scheme="mqtt", grafana="http://127.0.0.1:3000"))) == []
