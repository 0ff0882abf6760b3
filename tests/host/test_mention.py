"""The mention grammar: what fires, what must never fire, and that no text breaks it."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ay_bot.host.mention import Verb, find_mention
from tests.host.rendered import page

FIRES = [
    ("@ay fix this", Verb.FIX, "this"),
    ("@AY FIX this", Verb.FIX, "this"),
    ("/ay fix this", Verb.FIX, "this"),
    ("Could you look? @ay fix this", Verb.FIX, "this"),
    ("Hello\n@ay fix this", Verb.FIX, "this"),
    ("Hello\r\n@ay fix this\r\nplease", Verb.FIX, "this\nplease"),
    ("@ay: please fix", Verb.FIX, ""),
    ("@ay, fix: the parser", Verb.FIX, "the parser"),
    ("@ay:fix it", Verb.FIX, "it"),
    ("(@ay review this)", Verb.REVIEW, "this)"),
    ("- [ ] @ay test it", Verb.TEST, "it"),
    ("@ay make the button blue", None, "make the button blue"),
    ("@ay\n\nmake it blue", None, "make it blue"),
    ("@ay fixture is broken", None, "fixture is broken"),
    ("@ay fix-up the docs", None, "fix-up the docs"),
    ("@ay approve 3f9a2c", Verb.APPROVE, "3f9a2c"),
    ("@ay stop", Verb.STOP, ""),
    ("@ay", Verb.HELP, ""),
    ("   @ay!", None, "!"),
    ("> quoted\n\n@ay explain", Verb.EXPLAIN, ""),
    ("```\ncode\n```\n@ay fix it\n```\nmore\n```", Verb.FIX, "it\n```\nmore\n```"),
    ("use `foo`\n@ay fix `bar`", Verb.FIX, "`bar`"),
    ("<!-- template -->\n\n@ay fix it", Verb.FIX, "it"),
    ("<details>\nlog\n</details>\n\n@ay fix it", Verb.FIX, "it"),
    ("the tag `<details>` is ugly\n@ay fix it", Verb.FIX, "it"),
    ("if a <b then\n@ay fix it", Verb.FIX, "it"),
    ("- ```\n  code\n  ```\n\n@ay fix it", Verb.FIX, "it"),
    ("@ay first fix\n@ay review", None, "first fix\n@ay review"),
]
SILENT = [
    "",
    "nothing",
    "@bot fix this",
    "@ayn fix",
    "@ay-team fix",
    "@ay/team fix",
    "@ay_x fix",
    "@ay.io fix",
    "@ay's answer was wrong",
    "@ay=1",
    "do not use @ay here",
    "mail foo@ay.io or foo@ay fix",
    "https://x.io/@ay fix",
    "https://x/@ay/docs",
    "[@ay fix this](https://x)",
    "see [docs](https://x/y 'then @ay fix this')",
    "[docs]: https://x (@ay fix this)",
    "[docs]: https://x\n  'tell @ay fix this'",
    '<img alt="x @ay fix this">',
    "![a @ay fix this](u)",
    "was ~~the @ay fix this~~ wrong",
    "> @ay fix this",
    "> hello\n@ay fix this",
    "- > @ay fix this",
    ">@ay fix this",
    "> > @ay fix",
    "`@ay fix this`",
    "` @ay fix this `",
    "``a ` @ay fix this``",
    "`a\n@ay fix this` b",
    "\\``` x @ay fix this ``",
    "```\n@ay fix this\n```",
    "~~~\n@ay fix this",
    "````\n```\n@ay fix this\n````",
    "- ```\n  @ay fix this\n  ```",
    "- ```\n@ay x\n```\n@ay fix this\n```",
    "1. a\n\n   ```\n   @ay fix this\n   ```",
    "text\n\n    @ay fix this",
    "\t@ay fix this",
    "<!-- @ay fix this -->",
    "<!--\n\n@ay fix this\n\n-->",
    "<!-- @ay fix this",
    "<!-- <!-- --> @ay fix this -->",
    "<!-- a --!> <!-- @ay fix this --!>",
    "<details>\n\n@ay fix this\n\n</details>",
    "<DETAILS open>\n@ay fix this",
    "<details><details></details>\n\n@ay fix this\n\n</details>",
    "<pre>\n\n@ay fix this\n\n</pre>",
    "<p hidden>\n@ay fix this\n</p>",
    '<span style="display:none">\n@ay fix this\n</span>',
    "<blockquote>\n\n@ay fix this\n</blockquote>",
    "<?php\n@ay fix this ?>",
]
CONTEXTS = [
    ("```\n", "\n```"),
    ("~~~~ python\n", "\n~~~~"),
    ("`", "`"),
    ("``", "``"),
    ("> ", ""),
    ("<!-- ", " -->"),
    ("<!--\n", ""),
    ("<details>\n\n", "\n\n</details>"),
    ("https://host/", ""),
    ("someone", ""),
    ("\n\n    ", ""),
    ("<pre>", "</pre>"),
]
plain = st.text(alphabet="abc .,\n", max_size=30)
noise = st.lists(
    st.sampled_from(
        [
            "`",
            "```",
            "\n",
            "\n\n",
            "~~~",
            "> ",
            "- ",
            "<!--",
            "-->",
            "<details>",
            "</details>",
            "@ay",
            " fix",
            "a",
            "\\",
            "[",
            "](",
            ")",
            "<",
            ">",
            "    ",
            '"',
            "|",
            "1. ",
        ]
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(("text", "verb", "instruction"), FIRES)
def test_what_fires(text, verb, instruction):
    mention = find_mention(text)
    assert mention is not None
    assert (mention.verb, mention.instruction) == (verb, instruction)
    assert text.replace("\r\n", "\n")[mention.start] in "@/"


@pytest.mark.parametrize("text", SILENT)
def test_at_08_what_never_fires(text):
    assert find_mention(text) is None


@settings(deadline=None)
@given(before=plain, context=st.sampled_from(CONTEXTS), after=plain)
def test_at_08_a_trigger_hidden_in_a_context_never_fires(before, context, after):
    opening, closing = context
    assert find_mention(f"{before}\n\n{opening}@ay fix this{closing}\n\n{after}") is None


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.lists(noise, min_size=1, max_size=3).map("\n@ay fix ".join))
def test_at_08_what_fires_is_seen_as_ordinary_text_on_the_page(text):
    assume("<!-->" not in text and "<!--->" not in text)  # readers of HTML disagree about where these end
    mention = find_mention(text)
    if mention:
        marked = text[: mention.start] + "XMARKX" + text[mention.start + 3 :]
        assert "XMARKX" in page(marked)[1]


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(), noise))
@example("@ay fix\ud800")
@example("@ay \0 fix")
def test_no_text_breaks_the_grammar(text):
    mention = find_mention(text)
    assert mention is None or isinstance(mention.instruction, str)


@pytest.mark.parametrize(
    "unit",
    [
        "`",
        "``` \n",
        "<!--",
        "<!-- --",
        "> ",
        "](",
        '<a b="',
        "<details>",
        "@ay ",
        "- ```\n",
        "~~",
        "[",
        "![",
        "\\`",
        "<a hidden ",
    ],
)
@pytest.mark.timeout(30)  # time that grew with the square of the text would take minutes
def test_a_hostile_text_ends_soon(unit):
    find_mention("@ay" + unit * (200_000 // len(unit)))


def test_another_name_is_heard():
    assert find_mention("@my.bot fix it", "my.bot") is not None
    assert find_mention("@myxbot fix it", "my.bot") is None
