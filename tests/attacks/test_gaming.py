"""AT-49: every known way to make tests pass without mending anything, judged with real tests in fresh boxes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ay_bot.host import suite
from ay_bot.host.changes import VerifiedPatch, propose
from ay_bot.host.checkout import Checkout
from ay_bot.host.checks import CheckedPatch, verify
from ay_bot.host.checks import TestsFailed as Failed
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.suite import TestRunner as Runner
from tests.fakes import local_runner
from tests.host.git_repositories import checkout_of, finished, make_repository

TEST = "import calc\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n\ndef test_zero():\n    assert calc.add(0, 0) == 0\n"
CODE = "def add(a, b):\n    return a - b\n"
FILES = {"calc.py": CODE, "tests/test_calc.py": TEST, "conftest.py": ""}
ADD = "tests/test_calc.py::test_add"
JUNIT = (
    '<testsuites><testsuite errors="0" failures="0" tests="2">'
    '<testcase classname="tests.test_calc" name="test_add" file="tests/test_calc.py"/>'
    '<testcase classname="tests.test_calc" name="test_zero" file="tests/test_calc.py"/></testsuite></testsuites>'
)


@pytest.fixture(autouse=True)
def reports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local sandbox has no /tmp of its own to leave reports in."""
    monkeypatch.setattr(suite, "REPORTS", str(tmp_path))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    place = tmp_path_factory.mktemp("gaming")
    with checkout_of(make_repository(place / "repo", FILES), place / "scratch") as checkout:
        yield checkout


@pytest.fixture(scope="module")
def runner(checkout: Checkout) -> Runner:
    return local_runner(checkout)


def judge(checkout: Checkout, runner: Runner, changed: Mapping) -> CheckedPatch | Failed:
    patch = propose(checkout, checkout.repository.head, *finished(changed), PathPolicy())
    assert isinstance(patch, VerifiedPatch)
    base = runner.run(checkout.tree_of(patch.base), "baseline")
    assert base.outcomes == {ADD: "failed", "tests/test_calc.py::test_zero": "passed"}
    return verify(runner, checkout, patch, base, reruns=0)


IN_THE_TESTS = {
    "expected to fail": {
        "tests/test_calc.py": TEST.replace("def test_add", "@__import__('pytest').mark.xfail\ndef test_add")
    },
    "skipped at the top": {"tests/test_calc.py": "import pytest\npytest.skip(allow_module_level=True)\n" + TEST},
    "ended at the top": {"tests/test_calc.py": "import sys\nsys.exit(0)\n" + TEST},
    "ended hard at the top": {"tests/test_calc.py": "import os\nos._exit(0)\n" + TEST},
    "caught": {
        "tests/test_calc.py": TEST.replace(
            "    assert calc.add(1, 2) == 3",
            "    try:\n        assert calc.add(1, 2) == 3\n    except AssertionError:\n        pass",
        )
    },
    "another function": {
        "tests/test_calc.py": TEST.replace("import calc", "import calc\ncalc.add = lambda a, b: a + b")
    },
    "a report in the work tree": {"junit.xml": JUNIT, "report.xml": JUNIT, "tests/report.xml": JUNIT},
}
IN_THE_SETTINGS = {
    "reports made green": "import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport():\n    outcome = yield\n    outcome.get_result().outcome = 'passed'\n",
    "a session that ends well": "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    "a session that ends hard": "import os\ndef pytest_sessionfinish(session):\n    os._exit(0)\n",
    "an end before all": "import os\nprint('2 passed in 0.01s')\nos._exit(0)\n",
    "a report of its own": f"import os\ndef pytest_unconfigure(config):\n    path = config.option.xmlpath\n    open(path, 'w').write({JUNIT!r})\n    os._exit(0)\n",
    "tests that do nothing": "def pytest_pyfunc_call(pyfuncitem):\n    return True\n",
    "no rewriting": "import builtins, calc\ncalc.add = lambda a, b: a + b\n",
}  # fmt: skip


@pytest.mark.parametrize("changed", IN_THE_TESTS.values(), ids=IN_THE_TESTS)
def test_at_49_a_changed_test_proves_nothing(checkout: Checkout, runner: Runner, changed: Mapping) -> None:
    assert isinstance(judge(checkout, runner, changed), Failed)


@pytest.mark.parametrize("conftest", IN_THE_SETTINGS.values(), ids=IN_THE_SETTINGS)
def test_at_49_changed_settings_of_tests_prove_nothing(checkout: Checkout, runner: Runner, conftest: str) -> None:
    assert isinstance(judge(checkout, runner, {"conftest.py": conftest}), Failed)


IN_THE_CODE = {
    "an end before the tests": "import os\nprint('2 passed in 0.01s')\nos._exit(0)\n" + CODE,
    "an end with the tests": "import os\ndef add(a, b):\n    print('2 passed')\n    os._exit(0)\n",
    "another end after the report": "import atexit, os\natexit.register(os._exit, 0)\n" + CODE,
    "an exit": "import sys\nsys.exit(0)\n" + CODE,
    "words": "print('============ 2 passed in 0.01s ============')\n" + CODE,
}


@pytest.mark.parametrize("code", IN_THE_CODE.values(), ids=IN_THE_CODE)
def test_at_49_code_that_ends_its_own_tests_proves_nothing(checkout: Checkout, runner: Runner, code: str) -> None:
    result = judge(checkout, runner, {"calc.py": code})
    assert isinstance(result, Failed), result.reason


def test_at_49_code_that_knows_the_base_commits_tests_proves_nothing(checkout: Checkout, runner: Runner) -> None:
    """The change's own tests pass, and those of the base end early and well: they count as gone."""
    spy = "import os, pathlib\nif '== 3' in pathlib.Path('tests/test_calc.py').read_text():\n    os._exit(0)\n"
    changed = {"calc.py": spy + CODE, "tests/test_calc.py": TEST.replace("== 3", "== -1")}
    result = judge(checkout, runner, changed)
    assert isinstance(result, Failed)
    assert {row.id: row.verdict for row in result.proof.rows}[ADD] in {"weakened", "removed"}
