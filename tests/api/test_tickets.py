"""Cookies of sessions: only ours are taken, and none that was changed in the least."""

from hypothesis import given
from hypothesis import strategies as st

from scenewatch.api.sessions import Session, Throttle, Tickets
from scenewatch.model.operators import digest

KEY = bytes(32)
TOKENS = {"li": digest("li's token"), "王": digest("wang's token")}
NAMES = st.sampled_from(sorted(TOKENS))
TIMES = st.integers(0, 2**53)
SESSIONS = st.builds(Session, NAMES, TIMES)
TICKETS = Tickets(KEY)


def write(session):
    return TICKETS.write(session, TOKENS[session.name])


@given(SESSIONS, TIMES)
def test_a_cookie_is_its_session_until_it_ends(session, now_ms):
    read = TICKETS.read(write(session), TOKENS, now_ms)
    assert read == (session if now_ms < session.expires_at_ms else None)


@given(SESSIONS, st.data())
def test_no_character_of_a_cookie_can_be_changed_left_out_or_added(session, data):
    cookie = write(session)
    at = data.draw(st.integers(0, len(cookie) - 1))
    other = data.draw(st.characters())
    changed = data.draw(
        st.sampled_from([cookie[:at] + other + cookie[at + 1 :], cookie[:at] + cookie[at + 1 :], cookie + other])
    )
    if changed != cookie:
        assert TICKETS.read(changed, TOKENS, -1) is None


@given(st.text())
def test_any_text_is_no_cookie(text):
    assert TICKETS.read(text, TOKENS, -1) is None


@given(SESSIONS, st.binary(min_size=1))
def test_another_key_another_token_or_no_such_operator_is_nobody(session, key):
    cookie = write(session)
    if key.ljust(64, b"\0") != KEY.ljust(64, b"\0"):  # as HMAC takes them
        assert Tickets(key).read(cookie, TOKENS, -1) is None
    assert TICKETS.read(cookie, TOKENS | {session.name: digest("new")}, -1) is None
    assert TICKETS.read(cookie, {}, -1) is None


@given(SESSIONS)
def test_a_cookie_tells_nothing_of_token_or_key(session):
    cookie = write(session)
    assert TOKENS[session.name].hex() not in cookie
    assert KEY.hex() not in cookie


@given(st.lists(st.integers(0, 1000), max_size=60))
def test_never_are_there_more_tries_than_allowed_within_the_span(gaps):
    throttle, now_ms, failed = Throttle(tries=3, within_ms=500), 0, []
    for gap in gaps:
        now_ms += gap
        if throttle.wait_ms(now_ms) == 0:
            throttle.failed(now_ms)
            failed.append(now_ms)
        else:
            assert throttle.wait_ms(now_ms + throttle.wait_ms(now_ms)) == 0
    assert all(later - earlier >= 500 for earlier, later in zip(failed, failed[3:], strict=False))
