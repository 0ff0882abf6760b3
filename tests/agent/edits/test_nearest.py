"""What is shown of a file where a text does not stand in it: at most three regions, around them, with what differs."""

from ay_bot.agent.edits.nearest import describe_nearest, nearest

FUNCTION = ["def total(prices, rate):", "    result = sum(prices)", "    return result * rate", ""]


def filled(*regions, between=20):
    lines = []
    for region in regions:
        lines += [f"# {len(lines) + n} is a line about nothing at all" for n in range(between)] + region
    return lines + [f"# {len(lines) + n} is the last of it" for n in range(between)]


def test_the_region_with_five_lines_around_it_and_stars_at_what_differs():
    file = filled(FUNCTION)
    told = describe_nearest(file, [FUNCTION[0], "    result = sum(costs)", FUNCTION[2]])
    shown = told.splitlines()[1:]
    assert shown[0] == f" {16:5} {file[15]}"
    assert shown[5] == f" {21:5} def total(prices, rate):"
    assert shown[6] == f"*{22:5}     result = sum(prices)"
    assert shown[7] == f" {23:5}     return result * rate"
    assert len(shown) == 5 + 3 + 5
    assert told.startswith(". Nearest (")


def test_at_most_three_and_the_best_first():
    others = [[*FUNCTION[:2], f"    return result * rate + {n} * len(prices) - {n}", ""] for n in range(4)]
    file = filled(*others, FUNCTION)
    found = nearest(file, [*FUNCTION[:1], "    result = sum(costs)", FUNCTION[2]])
    assert len(found) == 3
    assert file[found[0][0] : found[0][0] + 3] == FUNCTION[:3]


def test_what_is_not_like_it_is_not_shown():
    file = filled(["def total(prices, rate):", "    raise NotImplementedError('ask somebody else for it, please')", ""])
    assert nearest(file, FUNCTION) == []
    assert "nothing in it comes close" in describe_nearest(file, FUNCTION)
    assert describe_nearest(["x"], ["", "  "]) == "."
