"""The operators' file: who is in it, and what is wrong with it, never what a token is."""

import stat

import pytest

from scenewatch.model import operators
from scenewatch.model.errors import ConfigurationError

LIS = "a-token-of-more-than-twenty-characters"
OTHER = "another-token-that-is-long-enough"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "operators"
    path.touch(mode=0o600)
    return path


def mistakes(file, text):
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as found:
        operators.read(file)
    told = [str(mistake).removeprefix(f"http.operators_file {file}") for mistake in found.value.mistakes]
    assert not any(word in line for line in told for word in (LIS, OTHER))
    return told


def test_names_and_tokens_are_read(file):
    file.write_text(f"\ufeff# who may\n\nli {LIS}\r\n  王.min@desk \t {OTHER}\n", "utf-8")
    assert operators.read(file) == {"li": operators.digest(LIS), "王.min@desk": operators.digest(OTHER)}


def test_all_mistakes_are_told_at_once(file):
    long, chinese = "x" * 513, "令牌" * 10
    lines = [f"li {LIS}", f"li {OTHER}", f"wang {LIS}", "zhao", "a b c", "short 123", f"na/me {OTHER}", f"w {long}"]
    text = "\n".join([*lines, f"z {chinese}", ""])
    found = mistakes(file, text)
    assert [line.split(": ")[0] for line in found] == [f", line {n}" for n in range(2, 10)]
    for line, part in zip(
        found,
        (
            "that of line 1",
            "that of line 1",
            "has 1 words",
            "has 3 words",
            "20 to 512",
            "letters",
            "20 to 512",
            "ASCII",
        ),
        strict=True,
    ):
        assert part in line


@pytest.mark.parametrize(
    ("text", "told"), [("", "names nobody"), ("# li\n", "names nobody"), (b"\xff\xfe", "UTF-8")]
)
def test_a_file_with_nobody_in_it_is_a_mistake(file, text, told):
    (line,) = mistakes(file, text)
    assert told in line


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o620, 0o644, 0o666, 0o601])
def test_a_file_that_others_may_read_or_write_is_refused_with_the_mend(file, mode):
    file.chmod(mode)
    (line,) = mistakes(file, f"li {LIS}\n")
    assert line.endswith(f"chmod 600 {file}")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_its_group_may_read_it_as_containers_do(file, mode):
    file.write_text(f"li {LIS}\n")
    file.chmod(mode)
    assert list(operators.read(file)) == ["li"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        operators.read(tmp_path / "nobody")


def test_the_first_operator_is_made_once(tmp_path):
    path = tmp_path / "operators"
    assert operators.make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert list(operators.read(path)) == ["operator"]
    assert not operators.make(path)
    assert path.read_text() == text
    assert operators.only_token(text) == text.split()[1]


@pytest.mark.parametrize(
    ("text", "token"),
    [("abc\n", "abc"), ("# x\nli abc\n", "abc"), ("", None), ("li a\nwang b\n", None), ("a b c", None)],
)
def test_the_one_token_of_a_file(text, token):
    assert operators.only_token(text) == token
