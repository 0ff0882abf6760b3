"""Keys in the added lines of a real diff are told by file and kind, and nothing else of it is."""

import subprocess

from encodings_of_secrets import TOKEN

from ay_bot.host.redact.change import MOST, keys_added
from ay_bot.host.redact.redactor import Redactor
from tests.host.git_repositories import make_repository, write_files

KEY = "glpat-" + "aB3dE5gH7jK9mN1pQ3sT"
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n" * 4
    + "-----END PRIVATE KEY-----\n"
)
REDACTOR = Redactor((TOKEN,))


def diff_of(tmp_path, before, after):
    repository = make_repository(tmp_path / "r", before)
    write_files(repository, after)
    subprocess.run(["git", "-C", repository, "add", "-A"], check=True)
    return subprocess.run(
        ["git", "-C", repository, "diff", "--cached", "--binary"], check=True, capture_output=True
    ).stdout


def test_a_new_key_is_told_with_its_file(tmp_path):
    diff = diff_of(
        tmp_path, {"old.py": f"k = '{KEY}'\n\n\n\n\n\nx = 1\n", "b.py": "1\n"},
        {"old.py": f"k = '{KEY}'\n\n\n\n\n\nx = 2\n", "b.py": f"k = '{KEY}'\n", "ü x.pem": PEM, "c.py": f"++ {TOKEN[7:]}\n"},
    )  # fmt: skip
    told = keys_added(diff, REDACTOR)
    assert [sentence for sentence in told if "old.py" in sentence] == []
    assert "`b.py` has a new line with what looks like a key (GitLab token)" in told
    assert "`c.py` has a new line with a secret (a secret of this run)" in told
    assert any("x.pem" in sentence and "private key" in sentence for sentence in told)
    assert len(told) == 3
    assert KEY not in "".join(told)


def test_what_is_removed_is_not_told(tmp_path):
    assert keys_added(diff_of(tmp_path, {"a.py": f"{KEY}\n"}, {"a.py": "none\n"}), REDACTOR) == ()


def test_not_more_is_told_than_a_person_reads(tmp_path):
    files = {f"f{number}.py": f"{KEY}\n" for number in range(MOST + 5)}
    assert len(keys_added(diff_of(tmp_path, {"a": "1"}, files), REDACTOR)) == MOST
