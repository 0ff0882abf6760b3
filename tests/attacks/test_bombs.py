"""AT-45: results and settings that are bombs for whoever parses them, and parsers that run what they read."""

import ast
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.config import Overrides
from ay_bot.host.gate import load_payload
from ay_bot.host.junit import NotBelieved, Report, read_report
from ay_bot.host.outgoing_text import neutralise
from ay_bot.host.outputs.sanitising import sanitise_all, sanitise_markup
from ay_bot.host.plain_text import clean_line, clean_text
from ay_bot.host.sanitize import sanitize
from ay_bot.host.settings_file import load_settings
from ay_bot.host.test_command import detect
from ay_bot.host.test_settings import same_test_settings
from ay_bot.host.workflow_lint import lint_workflow
from tests.host.git_repositories import checkout_of, make_repository

ROOT = Path(__file__).parent.parent.parent
DEEP = b"[" * 100_000
LAUGHTER = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (number, number, b", ".join([b"*a%d" % (number - 1)] * 9)) for number in range(1, 12)
)
PARTS = b".".join([b"a"] * 50_000) + b" = 1\n"
QUICK = 5.0


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Of the processor's time: how busy the machine is says nothing."""
    started = time.process_time()
    yield
    assert time.process_time() - started < QUICK


YAML = {
    "entities": LAUGHTER + b"test: *a11\n",
    "many of them": LAUGHTER + b"publishing: {labels: *a11}\n",
    "a program": b"model: !!python/object/apply:os.system ['touch PWN']\n",
    "a class": b"model: !!python/name:os.system\n",
    "depth": DEEP[:20_000],
    "a number": b"max_steps: " + b"9" * 100_000,
    "a date": b"model: 2001-99-99",
    "a key": b"? [a]\n: b",
    "itself": b"a: &a [*a]\ntest: *a\n",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", YAML.values(), ids=YAML)
def test_at_45_settings_that_are_a_bomb_are_a_mistake(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        load_settings(content, Overrides(model="m/m"))
    assert len(str(caught.value)) < 20_000
    assert lint_workflow("x.yml", content)
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=100), st.text(st.sampled_from("ab:-?&*![]{}\"'<|>%@ \n019.~"), max_size=60).map(str.encode)
    )
)
def test_at_45_no_bytes_break_the_reading_of_settings(content: bytes) -> None:
    try:
        load_settings(content, Overrides(model="m/m"))
    except UsageError:
        return


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", PARTS),
        ("pyproject.toml", b"[tool." + PARTS.replace(b" = 1", b"]")),
        ("pyproject.toml", (b".".join([b"a"] * 290) + b" = 1\n") * 800),
        ("pyproject.toml", b"a = " + DEEP),
        ("pyproject.toml", b"a = " + b"9" * 100_000),
        ("package.json", DEEP),
        ("package.json", b'{"a":' * 100_000),
        ("package.json", b'{"scripts": {"test": ' + b"9" * 100_000 + b"}}"),
        ("setup.cfg", b"[tool:pytest]\n" + b"a = %(a)s\n" * 1000),
        ("pytest.ini", b"[" * 100_000),
    ],
)
def test_at_45_a_manifest_that_is_a_bomb_says_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    assert not same_test_settings(name, b"", content)
    files = {name: content, "test_x.py": "def test_x(): pass\n"}
    with checkout_of(make_repository(tmp_path / "repo", files), tmp_path / "scratch") as checkout:
        detected = detect(checkout, checkout.repository.head)
    assert detected is None or "npm" not in detected.command


@pytest.mark.parametrize("content", [DEEP, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}", b"[]", b"\xff"])
def test_at_45_an_event_that_is_a_bomb_is_a_mistake(tmp_path: Path, content: bytes) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(content)
    with pytest.raises(UsageError):
        load_payload(str(event))


def _entities(make: Callable[[int], str]) -> bytes:
    declared = "".join(make(number) for number in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{declared}]><testsuites>&e11;</testsuites>'.encode()


@pytest.mark.parametrize(
    "content",
    [
        _entities(lambda number: f'<!ENTITY e{number} "{f"&e{number - 1};" * 10}">'),
        _entities(lambda number: f'<!ENTITY e{number} SYSTEM "file:///etc/passwd">'),
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]><testsuites/>',
        b'<testsuites xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/>',
        b"<testsuite>" * 100_000,
    ],
)
def test_at_45_a_report_that_is_a_bomb_is_not_believed(content: bytes) -> None:
    assert isinstance(read_report(content, 0), NotBelieved)


def test_at_45_a_report_of_a_hundred_thousand_tests_takes_no_more_than_a_moment() -> None:
    cases = "".join(f'<testcase classname="c" name="t{number}"/>' for number in range(100_000))
    report = read_report(f"<testsuite>{cases}</testsuite>".encode(), 0)
    assert isinstance(report, Report)
    assert len(report.outcomes) == 100_000


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;title\x07",
        "\x1b[2J\x1b[1;1H",
        "\x1b]8;;http://a\x1b\\x\x1b]8;;\x1b\\",
        "\x9b31m",
        "\r\nok\r",
        "\u202eevil",
        "\x1bP$q\x1b\\",
    ],
)
def test_at_45_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    for cleaned in (clean_text(text), clean_line(text)):
        assert not [character for character in cleaned if not character.isprintable() and character != "\n"]


@pytest.mark.parametrize("unit", ["![", "**", " \n", "\n\n", "\n[a]:", "<!--", "[", "`` ", "fixes #7 ", "<![CDATA["])
def test_at_45_words_take_no_longer_than_they_are_long(unit: str) -> None:
    """A pattern that looks at everything from everywhere takes minutes for a text of the size that is allowed."""
    text = (unit * 65_536)[:65_000]
    assert len(neutralise(text)) <= 2 * len(text)
    assert isinstance(clean_text(text), str)
    assert isinstance(sanitize(text).text, str)
    assert isinstance(sanitise_all(text), str)
    assert isinstance(sanitise_markup(text), str)


DANGEROUS = {"pickle", "marshal", "shelve", "dill", "jsonpickle", "xmlrpc"}
LOADER = "import_diet.py"
"""Runs the modules of the locked library, which is what an import does; nothing of anybody else's."""
RUNNING = {"eval", "exec", "compile", "__import__"}


def test_at_45_no_module_has_a_parser_that_runs_what_it_reads() -> None:
    found = []
    for source in sorted(path for path in (ROOT / "ay_bot").rglob("*.py") if path.name != LOADER):
        for node in ast.walk(ast.parse(source.read_bytes())):
            match node:
                case ast.Import(names=names) if {name.name.partition(".")[0] for name in names} & DANGEROUS:
                    found.append((source.name, node.lineno, "import"))
                case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in DANGEROUS:
                    found.append((source.name, node.lineno, "import"))
                case ast.Call(func=ast.Name(id=name)) if name in RUNNING:
                    found.append((source.name, node.lineno, name))
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="yaml"), attr="compose"),
                    keywords=[ast.keyword(arg="Loader", value=ast.Attribute(attr="SafeLoader"))],
                ):
                    pass  # makes nodes of the text, and nothing else
                case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr=name)) if not name.startswith("safe_"):
                    found.append((source.name, node.lineno, f"yaml.{name}"))
                case ast.keyword(arg="shell", value=ast.Constant(value=True)):
                    found.append((source.name, node.value.lineno, "shell=True"))
                case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="system" | "popen")):
                    found.append((source.name, node.lineno, "os.system"))
    assert found == []


def test_at_45_the_event_is_read_by_the_gate_as_well(tmp_path: Path) -> None:
    """The same through the program's own door, where a traceback would be an end of its own."""
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"action": "created", "comment": {"body": "\x1b[2J@ay fix", "user": {"login": "[" * 9999}}})
    )
    command = [sys.executable, "-m", "ay_bot", "gate", "--event-name", "issue_comment", "--event", str(event), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert json.loads(ran.stdout)["decision"] in {"ignore", "deny"}
    assert "Traceback" not in ran.stderr
