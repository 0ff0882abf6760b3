"""Reading the task."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ay_bot.errors import UsageError
from ay_bot.host.task import MAX_TASK, parse_task, read_task


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Fix it", "Fix it"),
        ("# Totals are wrong\n\nTax comes first.", "Totals are wrong"),
        ("\n\n  **Bold**\nrest", "Bold"),
        ("a\0b", "ab"),
        ("---\nreal title", "---"),
    ],
)
def test_the_first_line_that_says_something_is_the_title(text, title):
    assert parse_task(text).title == title


@pytest.mark.parametrize("text", ["", "  \n\t ", "\0\0"])
def test_an_empty_task_is_refused(text):
    with pytest.raises(UsageError, match="empty"):
        parse_task(text)


def test_a_task_that_is_too_long_is_refused_with_both_numbers():
    with pytest.raises(UsageError, match="200,001 characters; at most 200,000"):
        parse_task("x" * (MAX_TASK + 1))


@given(st.text(min_size=1, max_size=300))
def test_any_text_gives_a_task_with_a_title_or_a_usage_error(text):
    try:
        task = parse_task(text)
    except UsageError:
        assert not text.replace("\0", "").strip()
    else:
        assert task.title.strip() or task.text
        assert "\n" not in task.title


def test_exactly_one_source_must_be_given(tmp_path):
    with pytest.raises(UsageError, match="no task"):
        read_task(None, None)
    with pytest.raises(UsageError, match="both"):
        read_task("a", "b")
    with pytest.raises(UsageError, match="can't be read"):
        read_task(None, str(tmp_path / "missing.md"))


def test_an_issue_comes_from_a_file_or_from_stdin(tmp_path, monkeypatch):
    file = tmp_path / "issue.md"
    file.write_bytes(b"# From a file\r\nwith \xff bytes")
    assert read_task(None, str(file)).title == "From a file"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    assert read_task(None, "-").text == "from stdin"
