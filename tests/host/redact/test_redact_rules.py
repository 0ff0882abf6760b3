"""Keys are found by their shape and covered whole; the library's rules are all accounted for and stay fast."""

import base64
import json
import pkgutil
import random
import re
import string
import time
from importlib import import_module
from pathlib import Path

import detect_secrets.plugins
import pytest
from detect_secrets.plugins.base import RegexBasedDetector
from hypothesis import given, settings
from hypothesis import strategies as st

from ay_bot.host.redact.library import LEFT_OUT, USED, library_rules
from ay_bot.host.redact.redactor import MARK, Redactor
from ay_bot.host.redact.shapes import OURS

REDACTOR = Redactor()
CHANCE = random.Random(20)


def of(length, letters=string.ascii_letters + string.digits):
    return "".join(CHANCE.choices(letters, k=length))


def web_token():
    parts = (json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps({"sub": of(12)}), of(43))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def private_key():
    return "-----BEGIN RSA PRIVATE KEY-----\n" + f"{of(64)}\n" * 20 + "-----END RSA PRIVATE KEY-----"


KEYS = {
    "GitHub": f"ghp_{of(36)}", "GitHub longer": f"ghs_{of(120)}", "GitHub fine-grained": f"github_pat_{of(82)}",
    "OpenAI project": f"sk-proj-{of(156)}", "OpenAI old": f"sk-{of(48)}", "Anthropic": f"sk-ant-api03-{of(95)}",
    "Groq": f"gsk_{of(52)}", "Hugging Face": f"hf_{of(34)}", "Google": f"AIza{of(35)}", "Google access": f"ya29.{of(60)}",
    "AWS": f"AKIA{of(16, string.ascii_uppercase + string.digits)}", "GitLab": f"glpat-{of(20)}", "Slack":
    f"xoxb-{of(11, string.digits)}-{of(12, string.digits)}-{of(24, string.ascii_lowercase + string.digits)}",
    "Slack hook": f"https://hooks.slack.com/services/T{of(8)}/B{of(8)}/{of(24)}", "npm": f"npm_{of(36)}",
    "PyPI": f"pypi-AgEIcHlwaS5vcmc{of(120)}", "Docker": f"dckr_pat_{of(27)}", "Stripe": f"sk_live_{of(24)}",
    "SendGrid": f"SG.{of(22)}.{of(43)}", "Mailchimp": f"{of(32, '0123456789abcdef')}-us12", "JWT": web_token(),
    "Telegram": f"{of(9, string.digits)}:AA{of(33)}", "Artifactory": f"AKC{of(70)}", "private key": private_key(),
}  # fmt: skip


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_at_22_a_key_is_covered_to_its_end(key):
    assert REDACTOR.redact(f"it is: {key} \nand more") in {f"it is: {MARK} \nand more", f"it is:{MARK}\nand more"}


def test_at_22_what_surrounds_a_key_is_left():
    password = of(20)
    assert REDACTOR.redact(f"postgres://ann:{password}@db.internal/x") == f"postgres://ann:{MARK}@db.internal/x"
    assert REDACTOR.redact(f'aws_secret_access_key = "{of(40)}"') == f'aws_secret_access_key = "{MARK}"'
    assert REDACTOR.redact(f'{{"key": {json.dumps(private_key())}}}') == f'{{"key": "{MARK}"}}'


@pytest.mark.parametrize(
    "text",
    ["ghp_" + "x" * 36, "sk-" + "1" * 40, "sk-fading-circle-large-variant", "user:pass@", "http://user:pass@host/",
     "-----BEGIN PRIVATE KEY-----", "AKIA" + "A" * 16, "eyJ", "https://example.org/a@b:c", "sha512-" + of(86) + "==",
     "commit 3f786850e387550fdab836ed7e6dc881de23001b", "mailto:ann@example.org", "${{ secrets.GITHUB_TOKEN }}"],
)  # fmt: skip
def test_placeholders_and_ordinary_words_are_no_keys(text):
    assert REDACTOR.redact(text) == text


def test_every_rule_of_the_library_is_used_or_left_out_for_a_reason():
    for module in pkgutil.iter_modules(detect_secrets.plugins.__path__):
        import_module(f"detect_secrets.plugins.{module.name}")
    names = {each.__name__ for each in RegexBasedDetector.__subclasses__() if each.__module__.startswith("detect_")}
    assert set(USED) | set(LEFT_OUT) == names
    assert not set(USED) & set(LEFT_OUT)
    assert set(library_rules()) == set(USED)


@pytest.mark.parametrize("name", USED)
def test_a_match_of_the_library_holds_a_literal(name):
    for rule in library_rules()[name]:
        if rule.pattern.startswith(b"(?i)"):
            continue  # how it is usually written

        @settings(deadline=None, max_examples=40)
        @given(st.from_regex(re.compile(rule.pattern), fullmatch=True))
        def check(match):
            assert any(literal in match for literal in USED[name])

        check()


@pytest.mark.parametrize("shape", OURS, ids=lambda shape: shape.rule.name)
def test_a_match_of_ours_holds_a_literal(shape):
    @settings(deadline=None, max_examples=40)
    @given(st.from_regex(re.compile(shape.rule.pattern), fullmatch=True))
    def check(match):
        assert any(literal in match for literal in shape.literals)

    check()


@pytest.mark.parametrize(
    "hostile",
    ["eyJ" * 300_000, "sk-" * 300_000, "://a:" * 200_000, "xoxb-1" + "-1" * 300_000, "ghp_" * 200_000,
     "-----BEGIN PRIVATE KEY-----" * 30_000, "aws key '" * 100_000, f"ghp_{of(36)}" * 20_000, "ghp_" + "aB3" * 300_000],
    ids=str.split("tokens keys addresses slack github blocks aws many long"),
)  # fmt: skip
def test_no_text_takes_long(hostile):
    began = time.process_time()
    REDACTOR.find(hostile.encode())
    assert time.process_time() - began < 3


def test_ordinary_text_passes_at_20_megabytes_a_second():
    paths = sorted(Path(json.__file__).parents[1].glob("*.py"))[:200]
    text = b"\n".join(path.read_bytes() for path in paths)
    redactor = Redactor(tuple(of(60) for _ in range(5)))
    redactor.find(text)
    taken = []
    for _ in range(3):
        began = time.process_time()
        redactor.find(text)
        taken.append(time.process_time() - began)
    assert len(text) > 3_000_000
    assert len(text) / 1e6 / min(taken) >= 20
