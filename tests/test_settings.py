"""Settings: the file, the environment on top, and all mistakes at once, each with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.settings import Settings, load, other_store

HUSH = "hush-hush"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "scenewatch.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def mistakes(path, environment=None):
    with pytest.raises(ConfigurationError) as caught:
        load(path, environment or {})
    return [str(m) for m in caught.value.mistakes]


def test_without_a_file_everything_has_a_default():
    settings = load(None, {})
    assert settings.broker.url == "mqtt://127.0.0.1:1883"
    assert settings.journal.path == Path.cwd() / "data" / "journal"
    assert settings.scenes.use == ()


def test_the_file_is_read(file):
    path = file(
        """
        root = "city"
        [broker]
        url = "mqtts://broker"
        [http]
        port = 9000
        [scenes]
        use = ["brine"]
        [limits."brine.vat_hot"]
        limit = 85
        """
    )
    settings = load(path, {})
    assert (settings.root, settings.broker.url, settings.http.port) == ("city", "mqtts://broker", 9000)
    assert settings.scenes.use == ("brine",)
    assert settings.limits == {"brine.vat_hot": {"limit": 85.0}}


def test_the_environment_is_on_top(file):
    path = file('root = "city"\n[http]\nport = 9000\nhost = "::1"\n')
    environment = {
        "SCENEWATCH_ROOT": "town",
        "SCENEWATCH_HTTP_PORT": "9100",
        "SCENEWATCH_JOURNAL_KEEP_HOURS": "0.5",
        "SCENEWATCH_SCENES_USE": "brine,kitchen",
        "SCENEWATCH_HTTP_NAMES": "worker,localhost",
        "HTTP_PORT": "1",
    }
    settings = load(path, environment)
    assert (settings.root, settings.http.port, settings.http.host) == ("town", 9100, "::1")
    assert settings.journal.keep_hours == 0.5
    assert settings.scenes.use == ("brine", "kitchen")
    assert settings.http.names == ("worker", "localhost")


def test_every_value_of_a_section_can_come_from_the_environment():
    sections = {
        name: f.annotation for name, f in Settings.model_fields.items() if hasattr(f.annotation, "model_fields")
    }
    samples = {
        "broker_url": "mqtt://elsewhere:1",
        "store_url": "duckdb:/x",
        "database_url": "sqlite:////x",
        "journal_max_bytes": str(2**28),
        "journal_hard_max_bytes": str(2**34),
        "journal_keep_hours": "3.0",
        "journal_sync_ms": "50",
        "store_memory_readings": "1000",
        "store_batch_readings": "3000",
        "keep_readings_days": "30",
        "keep_minutes_days": "0",
        "keep_hours_days": "0",
        "keep_days_days": "0",
        "keep_utc_offset_minutes": "-60",
        "http_port": "4",
        "scenes_use": "a",
    }
    for section, model in sections.items():
        for key in model.model_fields:
            text = samples.get(f"{section}_{key}", "/sample")
            settings = load(None, {f"SCENEWATCH_{section}_{key}".upper(): text})
            assert text in str(getattr(getattr(settings, section), key))


def test_paths_are_relative_to_the_file_that_names_them(file, tmp_path):
    path = file(
        """
        [broker]
        username = "ann"
        password_file = "secret"
        [store]
        url = "duckdb:r.duckdb"
        token_file = "token"
        ca_file = "ca.pem"
        [database]
        url = "sqlite:///x.sqlite"
        [journal]
        path = "/abs/journal"
        """
    )
    settings = load(path, {})
    assert settings.broker.password_file == tmp_path / "secret"
    assert settings.store.url == f"duckdb:{tmp_path}/r.duckdb"
    assert (settings.store.token_file, settings.store.ca_file) == (tmp_path / "token", tmp_path / "ca.pem")
    assert settings.database.url == f"sqlite:///{tmp_path}/x.sqlite"
    assert settings.journal.path == Path("/abs/journal")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("duckdb:", "must be duckdb:PATH or influx+http://"),
        ("http://host:8086/?bucket=b", "must be duckdb:PATH or influx+http://"),
        ("influx+ftp://host/?bucket=b", "must be influx+http://"),
        ("influx+http://host:x/?bucket=b", "cannot be read"),
        ("influx+http://host/?org=o", "names no bucket"),
        ("influx+http://host/?bucket=b&token=s3cret", "knows org and bucket, not token"),
        ("influx+http://me:s3cret@host/?bucket=b", "store.token_file"),
    ],
)
def test_a_store_that_cannot_be_is_a_mistake_that_tells_no_secret(file, url, told):
    [line] = mistakes(file(f'[store]\nurl = "{url}"\n'))
    assert "store.url: " in line
    assert told in line
    assert "s3cret" not in line


def test_all_mistakes_are_told_at_once_with_their_places(file):
    path = file(
        """
        rot = "x"
        [broker]
        url = "http://broker"
        [store]
        url = "mysql:x"
        [database]
        url = "oracle://x"
        [journal]
        max_bytes = 5
        keep_hours = -1
        [http]
        port = "many"
        colour = "red"
        """
    )
    found = mistakes(path)
    places = [line.removeprefix(f"{path}: ").partition(":")[0] for line in found]
    assert sorted(places) == [
        "broker.url",
        "database.url",
        "http.colour",
        "http.port",
        "journal.keep_hours",
        "journal.max_bytes",
        "rot",
        "store.url",
    ]
    assert all("\n" not in line for line in found)


def test_an_unknown_key_says_where_the_known_ones_are(file):
    assert mistakes(file("[http]\nprot = 1\n"))[0].endswith(
        "http.prot: is no setting; scenewatch settings sample prints all of them"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("root = ", "is not TOML"),
        ('root = "a/b"', "root: string should match pattern"),
        ("broker = 3", "broker: input should be"),
        ('[scenes]\nuse = "brine"', "scenes.use: input should be a valid tuple"),
        (
            "[journal]\nmax_bytes = 200_000_000\nhard_max_bytes = 200_000_000",
            "hard_max_bytes must be above max_bytes",
        ),
        ("[http]\nport = 70000", "http.port"),
        ("[limits.x]\nlimit = 'high'", "limits.x.limit"),
    ],
)
def test_a_mistake_in_the_file_is_one_clear_line(file, text, what):
    found = mistakes(file(text))
    assert len(found) == 1
    assert what in found[0]


def test_a_mistake_in_the_environment_names_its_variable(file):
    [line] = mistakes(file("[http]\nport = 1\n"), {"SCENEWATCH_HTTP_PORT": "many"})
    assert line.startswith("SCENEWATCH_HTTP_PORT: http.port: input should be")


def test_mistyped_variables_are_named_with_all_other_mistakes(file):
    environment = {
        "SCENEWATCH_HTTP_PROT": "1",
        "SCENEWATCH_STORE": "duckdb:x",
        "SCENEWATCH_QUITE_ELSE": "x",
        "SCENEWATCH_JOURNAL_SYNC_MS": "0",
        "OTHER_HTTP_PROT": "1",
    }
    path = file('root = "a/b"\n')
    assert [line.partition(": ")[::2] for line in mistakes(path, environment)] == [
        (str(path), "root: string should match pattern '^[A-Za-z0-9_-]{1,64}$'"),
        ("SCENEWATCH_JOURNAL_SYNC_MS", "journal.sync_ms: input should be greater than or equal to 1"),
        ("SCENEWATCH_HTTP_PROT", "is no setting; is SCENEWATCH_HTTP_PORT meant?"),
        ("SCENEWATCH_QUITE_ELSE", "is no setting; scenewatch settings sample prints all of them"),
        ("SCENEWATCH_STORE", "is no setting; is SCENEWATCH_STORE_URL meant?"),
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert mistakes(tmp_path / "none.toml") == [
        f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"
    ]
    garbled = tmp_path / "garbled.toml"
    garbled.write_bytes(b"root = '\xff'")
    assert "is not UTF-8" in mistakes(garbled)[0]


def test_secrets_are_never_shown(file, tmp_path):
    (tmp_path / "secret").write_text(HUSH)
    path = file(
        f"""
        [broker]
        username = "ann"
        password_file = "secret"
        [database]
        url = "postgresql+psycopg://ann:{HUSH}@db/x"
        """
    )
    settings = load(path, {})
    assert HUSH in settings.database.url
    assert HUSH not in f"{settings!r} {settings} {settings.database!r} {settings.database}"


def test_a_mistake_does_not_show_the_secret_beside_it(file):
    path = file(f'[broker]\nurl = "mqtt://ann:{HUSH}@b"\n[database]\nurl = "mysql://ann:{HUSH}@db"\n')
    found = mistakes(path)
    assert len(found) == 2
    assert not [line for line in found if HUSH in line]


def test_settings_do_not_change_once_they_are_read():
    with pytest.raises(ValueError, match="frozen"):
        load(None, {}).http.port = 1


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ("http://127.0.0.1:8086/?bucket=b", "http://localhost:8086/?bucket=b&org=o", True),
        ("http://db:8086/?bucket=b", "http://db:8086?bucket=b", True),
        ("http://db:8086/?bucket=b", "http://db:8086/?bucket=c", False),
        ("http://db:8086/?bucket=b", "http://db:8087/?bucket=b", False),
        ("http://db:8086/?bucket=b", "http://other:8086/?bucket=b", False),
    ],
)
def test_a_bucket_is_known_by_host_port_and_name(own, other, same):
    settings = load(None, {"SCENEWATCH_STORE_URL": f"influx+{own}"})
    if same:
        with pytest.raises(ConfigurationError, match="is the worker's own store"):
            other_store(settings, f"influx+{other}", None)
    else:
        assert other_store(settings, f"influx+{other}", None).url == f"influx+{other}"


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        ("readings_days = -1", "greater than or equal to 0"),
        ("readings_days = 30\nminutes_days = 7", "minutes_days = 7 is less than readings_days = 30"),
        ("minutes_days = 7", "minutes_days = 7 is less than readings_days = 0, which is for ever"),
        ("readings_days = 1\nminutes_days = 1\nhours_days = 1", "hours_days = 1 is too few"),
        ("utc_offset_minutes = 900", "less than or equal to 840"),
    ],
)
def test_a_retention_that_cannot_be_meant_is_a_mistake(file, keep, told):
    [mistake] = mistakes(file(f"[keep]\n{keep}\n"))
    assert "keep" in mistake
    assert told in mistake


def test_what_is_coarser_may_be_kept_longer_or_for_ever(file):
    keep = load(file("[keep]\nreadings_days = 30\nminutes_days = 30\nhours_days = 400\n"), {}).keep
    assert (keep.readings_days, keep.minutes_days, keep.hours_days, keep.days_days) == (30, 30, 400, 0)
    assert keep.utc_offset_minutes == 480


def test_nothing_is_deleted_by_default():
    keep = load(None, {}).keep
    assert (keep.readings_days, keep.minutes_days, keep.hours_days, keep.days_days) == (0, 0, 0, 0)
