"""Manifests: what a change of them may mean for the tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.host.test_settings import same_test_settings

PYPROJECT = '[project]\nname = "a"\ndependencies = []\n[tool.pytest.ini_options]\naddopts = "-q"\n'


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace("[]", '["b"]')),
        ("sub/pyproject.toml", PYPROJECT, "# a comment\n" + PYPROJECT),
        (
            "setup.cfg",
            "[metadata]\nname=a\n[tool:pytest]\naddopts=-q\n",
            "[metadata]\nname=b\n[tool:pytest]\naddopts=-q\n",
        ),
        ("setup.cfg", "[options]\ninstall_requires=\n", "[options]\ninstall_requires=\n  b\n"),
        ("package.json", '{"scripts":{"test":"x"}}', '{"scripts":{"test":"x"},"dependencies":{"a":"1"}}'),
    ],
)
def test_a_new_description_leaves_the_tests_alone(path, before, after):
    assert same_test_settings(path, before.encode(), after.encode())


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("pyproject.toml", PYPROJECT, PYPROJECT.replace("-q", "-q --deselect tests/test_a.py")),
        ("pyproject.toml", PYPROJECT, PYPROJECT + "[tool.coverage.run]\nbranch = true\n"),
        ("pyproject.toml", PYPROJECT, "[project\n"),
        ("setup.cfg", "[tool:pytest]\naddopts=-q\n", "[tool:pytest]\naddopts=-x\n"),
        ("package.json", '{"scripts":{"test":"x"}}', '{"scripts":{"test":"true"}}'),
        ("package.json", '{"scripts":{"test":"x"}}', '{"scripts":{"test":"x"},"jest":{}}'),
        ("package.json", "[]", "[]"),
        ("Makefile", "test:\n\ttrue\n", "test:\n\ttrue\n"),
        ("pytest.ini", "[pytest]\n", "[pytest]\n"),
    ],
)
def test_new_settings_and_what_cannot_be_read_may_change_them(path, before, after):
    assert not same_test_settings(path, before.encode(), after.encode())


@given(
    st.sampled_from(["pyproject.toml", "setup.cfg", "package.json"]), st.binary(max_size=200), st.binary(max_size=200)
)
def test_no_bytes_are_more_than_yes_or_no(path, before, after):
    assert same_test_settings(path, before, after) in (True, False)
