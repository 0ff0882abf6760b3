import pytest

from evenly import format_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "cents"), [("12.50", 1250), ("12.5", 1250), ("12", 1200), (" 0.07 ", 7)]
)
def test_parse(text, cents):
    assert parse_amount(text) == cents


@pytest.mark.parametrize("text", ["", "-1", "1.234", "1,50", "a lot"])
def test_parse_refuses(text):
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text)


def test_format():
    assert [format_amount(cents) for cents in (1250, 7, -40)] == ["12.50", "0.07", "-0.40"]
