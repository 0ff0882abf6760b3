"""Whom a request is put to: in the order of the strategy, without repeats, and nobody that can't."""

from hypothesis import given
from hypothesis import strategies as st

from ay_bot.gateway.candidates import Candidates, Need
from ay_bot.gateway.standing import Standing
from ay_bot.protocol.messages import ModelSetting, RoleModels
from ay_bot.protocol.model_facts import ModelFacts

names = st.lists(st.sampled_from("abcdefgh"), max_size=4)


def candidates(known: dict[str, ModelFacts], **said: object) -> Candidates:
    lists = {key: tuple(ModelSetting(model=name) for name in value) for key, value in said.items() if key != "strategy"}
    strategy = said.get("strategy", "explicit")
    return Candidates(RoleModels.model_validate({**lists, "strategy": strategy}), known)


@st.composite
def facts_of_all(draw: st.DrawFn) -> dict[str, ModelFacts]:
    return {
        name: ModelFacts(
            model=name,
            provider=draw(st.sampled_from(["x", "y"])),
            known=True,
            context_window=draw(st.sampled_from([0, 1_000, 10_000, 100_000])),
            tools=draw(st.booleans()),
            input_price=draw(st.none() | st.floats(0, 9)),
            output_price=draw(st.none() | st.floats(0, 9)),
        )
        for name in "abcdefgh"
    }


@given(
    facts_of_all(),
    names.filter(bool),
    names,
    names,
    names,
    st.sampled_from(["explicit", "context", "price"]),
    st.builds(Need, st.integers(1, 200_000), st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(["", *"abcdefgh"]),
)
def test_somebody_can_always_be_asked_and_nobody_twice(
    known, own, fallbacks, larger, stronger, strategy, need, current
):
    role = candidates(known, models=own, fallbacks=fallbacks, larger=larger, stronger=stronger, strategy=strategy)
    order = role.in_order(need, current)
    found = [one.name for one in order]
    assert found
    assert len(found) == len(set(found))
    assert set(found) <= {*own, *fallbacks, *larger, *stronger}
    fits = [not one.facts.context_window or need.tokens <= one.facts.context_window for one in order]
    assert fits == sorted(fits, reverse=True), "whoever is too small comes last"
    for failed in order:
        for cause in ("context_window", "authentication", "rate_limit", "refused", "budget"):
            after = role.after(failed, cause, [one for one in order if one != failed])
            assert failed not in after


def test_a_conversation_stays_where_it_is_until_it_must_go():
    known = {
        name: ModelFacts(model=name, context_window=window)
        for name, window in (("small", 1_000), ("medium", 10_000), ("large", 100_000))
    }
    role = candidates(known, models=["large", "small", "medium"], strategy="context")
    said = []
    current = ""
    for tokens in (100, 900, 1_100, 900, 600, 400, 50_000):
        current = role.in_order(Need(tokens), current)[0].name
        said.append(current)
    assert said == ["small", "small", "medium", "medium", "medium", "small", "large"]


def test_after_an_overflow_whoever_is_too_small_by_the_count_is_not_asked_in_vain():
    from ay_bot.gateway.candidates import Candidates
    from ay_bot.protocol.messages import ModelSetting, RoleModels
    from ay_bot.protocol.model_facts import ModelFacts

    windows = {"a": 8_000, "b": 16_000, "c": 200_000}
    facts = {name: ModelFacts(model=name, known=True, context_window=window) for name, window in windows.items()}
    a, b, c = (ModelSetting(model=name) for name in windows)
    one = Candidates(RoleModels(models=(a,), larger=(b, c)), facts)
    assert [each.name for each in one.after(one.first, "context_window", [], 50_000)] == ["c"]
    assert [each.name for each in one.after(one.first, "context_window", [], 10_000)] == ["b", "c"]
    assert [each.name for each in one.after(one.first, "context_window", [], 900_000)] == ["b", "c"], (
        "asking is the proof"
    )


def test_models_rest_and_come_back():
    now = [0.0]
    standing = Standing(60, lambda: now[0])
    known = {name: ModelFacts(model=name, provider=name) for name in "ab"}
    a, b = candidates(known, models="ab").own
    standing.failed(a, "rate_limit", None)
    assert standing.awake([a, b]) == [b]
    standing.failed(b, "authentication", None)
    assert standing.awake([a, b]) == [a], "who rests is better than who is out for good"
    now[0] = 61
    assert standing.awake([a, b]) == [a]
    standing.failed(a, "rate_limit", 500)
    now[0] = 500
    assert standing.awake([b]) == [b], "if nobody else is there, even that one is asked"
    known = {name: ModelFacts(model=name, provider=name.upper()) for name in "aAc"}
    same = candidates(known, models=["a", "A", "c"]).own
    standing.failed(same[0], "payment", None)
    assert standing.awake(same) == [same[2]], "an account without credit has none for its other models"
    standing = Standing(60, lambda: now[0])
    standing.failed(a, "context_window", None)
    now[0] = 600
    assert standing.awake([a]) == [a]
