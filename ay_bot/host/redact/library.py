"""The rules of detect-secrets, in the fork that is kept up; the only importer of that library, which takes 0.3 s."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from ay_bot.host.redact.shapes import Rule

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

USED: Final[Mapping[str, tuple[bytes, ...]]] = {
    "ArtifactoryDetector": (b"AKC",),
    "AWSKeyDetector": (b"A3T", b"ABIA", b"ACCA", b"AKIA", b"ASIA", b"aws", b"AWS", b"Aws"),
    "GitHubTokenDetector": (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    "JwtTokenDetector": (b"eyJ",),
    "MailchimpDetector": tuple(b"-us%d" % digit for digit in range(10)),
    "NpmDetector": (b"npm_", b"_authToken", b"NPM"),
    "SendGridDetector": (b"SG.",),
    "SlackDetector": (b"xoxa-", b"xoxb-", b"xoxp-", b"xoxo-", b"xoxs-", b"xoxr-", b"hooks.slack.com"),
    "SquareOAuthDetector": (b"sq0csp-",),
    "StripeDetector": (b"rk_live_", b"sk_live_"),
}
"""The detectors that are used, each with the literals of which a match holds one, as it is usually written."""

LEFT_OUT: Final[Mapping[str, str]] = {
    "AzureStorageKeyDetector": "any base64 of 64 bytes, such as checksums of lock files; a rule of ours is narrower",
    "BasicAuthDetector": "every address would load the library; the same expression is a rule of ours",
    "CloudantDetector": "any 24 letters after a word; its addresses are found as any with a password in them",
    "DiscordBotTokenDetector": "three words with dots between, and no literal to look for",
    "IbmCloudIamDetector": "any 44 characters after a word",
    "IbmCosHmacDetector": "any 48 hexadecimal digits after a word",
    "PrivateKeyDetector": "it finds the first line; a rule of ours finds the block",
    "SoftlayerDetector": "any 64 characters after a word",
    "TwilioKeyDetector": "34 characters in a row that begin with AC or SK, without a boundary",
}
"""The others that work by expressions. Those that work by entropy or by words near by find names and checksums."""

_MORE_THAN_FIRST: Final = {"AWSKeyDetector": 2, "SlackDetector": 2}
"""How many of a detector's expressions are used, where it isn't the first alone."""
_IN_GROUP: Final = frozenset({"AWSKeyDetector", "NpmDetector"})


@cache
def library_rules() -> Mapping[str, tuple[Rule, ...]]:
    """Return the rules that are used, by detector."""
    from detect_secrets.plugins.artifactory import ArtifactoryDetector
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector

    detectors: tuple[RegexBasedDetector, ...] = (
        ArtifactoryDetector(), AWSKeyDetector(), GitHubTokenDetector(), JwtTokenDetector(),
        MailchimpDetector(), NpmDetector(), SendGridDetector(), SlackDetector(), SquareOAuthDetector(),
        StripeDetector(),
    )  # fmt: skip
    return {type(each).__name__: tuple(_rules_of(each)) for each in detectors}


def _rules_of(detector: "RegexBasedDetector") -> Iterator[Rule]:
    name = type(detector).__name__
    for expression in tuple(detector.denylist)[: _MORE_THAN_FIRST.get(name, 1)]:
        flag = "(?i)" if expression.flags & re.IGNORECASE else ""
        in_group = name in _IN_GROUP and expression.groups > 0
        yield Rule(detector.secret_type, (flag + expression.pattern).encode(), in_group)
