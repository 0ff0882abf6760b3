"""The judgement of a batch of outputs: six stages in order, without any effect; the seventh is the API call.

Whoever makes that call carries out what is `Allowed`, as it stands there, and nothing else.
"""

from collections.abc import Callable, Sequence

from ay_bot.host.outputs.admitting import admit, count_items, limit, limit_open
from ay_bot.host.outputs.allowance import build_allowance
from ay_bot.host.outputs.code_parts import without_code
from ay_bot.host.outputs.contradiction import contradicts, put_banner
from ay_bot.host.outputs.decision import Allowed, Code, Decision, Denied, shown
from ay_bot.host.outputs.domains import calls, foreign_hosts
from ay_bot.host.outputs.leaks import leaks
from ay_bot.host.outputs.policy import OutputContext, OutputPolicy
from ay_bot.host.outputs.references import foreign_references
from ay_bot.host.outputs.resolve import resolve
from ay_bot.host.outputs.run_link import put_run_link
from ay_bot.host.outputs.texts import change_body, change_texts, may_become_a_commit, strings_of, texts_of
from ay_bot.host.outputs.words import clean_title, clean_words, sanitise
from ay_bot.host.plain_text import shorten
from ay_bot.protocol.outputs import Output

LONGEST_TEXT = 50_000
LONGEST_CLEANED = 60_000  # GitHub takes 65,536, and the run's link and a warning come on top
MOST_FOREIGN_LINKS = 20
MOST_CALLS = 10
MOST_REFERENCES = 20
_AGAIN = "nothing does; `@ay retry` lets the agent try again"


def check(outputs: Sequence[object], policy: OutputPolicy, context: OutputContext) -> tuple[Decision, ...]:
    """Return a decision for each output, in order; one for all of them where the batch is over a limit.

    An output is an `Output`, or what a bundle's JSON holds in its place.
    """
    if refused := count_items(outputs):
        return (refused,)
    admitted = [admit(index, item, policy) for index, item in enumerate(outputs)]
    if refused := limit([one.output for one in admitted if isinstance(one, Allowed)], policy):
        return (refused,)
    judge = _Judge(policy, context)
    return tuple(judge.decide(one) if isinstance(one, Allowed) else one for one in admitted)


class _Judge:
    """Stages 2 to 6 for one output."""

    def __init__(self, policy: OutputPolicy, context: OutputContext) -> None:
        self._policy = policy
        self._context = context
        self._allowance = build_allowance(policy, context)

    def decide(self, admitted: Allowed) -> Decision:
        """Take an output through the stages, up to the first that denies it."""
        output = admitted.output
        stages: tuple[Callable[[Output], Output | Denied], ...] = (
            self._limit, self._sanitise, self._domains, self._cross_repository, self._resolve,
        )  # fmt: skip
        for stage in stages:
            result = stage(output)
            if isinstance(result, Denied):
                return result.model_copy(update={"index": admitted.index})
            output = result
        return Allowed(index=admitted.index, output=self._finish(output))

    def _limit(self, output: Output) -> Output | Denied:
        if too_many := limit_open(output, self._policy, self._context):
            return _deny(output, Code.LIMITS, "max_open_pull_requests", *too_many)
        return output

    def _sanitise(self, output: Output) -> Output | Denied:
        if leaks("".join(strings_of(output)), self._context.secrets):  # in one: a secret can be cut into fields
            return _deny(output, Code.SANITISE, "secrets", "a secret of this run is in it, or a part of one", _AGAIN)
        keep = not may_become_a_commit(output)
        return change_texts(
            output,
            lambda text: sanitise(shorten(text, LONGEST_TEXT), keep_code=keep),
            lambda text: sanitise(" ".join(text.split()), keep_code=False),
        )

    def _domains(self, output: Output) -> Output | Denied:
        words = [text if may_become_a_commit(output) else without_code(text) for text in texts_of(output)]
        hosts = [host for text in words for host in foreign_hosts(text, self._allowance)]
        if len(hosts) > MOST_FOREIGN_LINKS:
            what = f"it has {len(hosts)} links to hosts that are not allowed, {shown(hosts[0])} among them"
            how = f"add {shown(hosts[0])} and the others to `domains:` in .github/ay-bot.yml"
            return _deny(output, Code.DOMAINS, "domains", what, how)
        called = sum(calls(text, self._allowance) for text in words)
        if called > MOST_CALLS:
            return _deny(output, Code.DOMAINS, "mentions", f"it calls {called} people or teams by name", _AGAIN)
        return output

    def _cross_repository(self, output: Output) -> Output | Denied:
        keep = not may_become_a_commit(output)
        words = [without_code(text) if keep else text for text in texts_of(output)]
        count = sum(foreign_references(text, self._allowance) for text in words)
        if count > MOST_REFERENCES:
            what = f"it refers to {count} other issues, pull requests or repositories"
            return _deny(output, Code.CROSS_REPOSITORY, "references", what, _AGAIN)
        return self._clean(output)

    def _clean(self, output: Output) -> Output | Denied:
        keep = not may_become_a_commit(output)
        cleaned = change_texts(
            output,
            lambda text: clean_words(text, self._allowance, keep_code=keep),
            lambda text: clean_title(text, self._allowance),
        )
        if not all(texts_of(cleaned)):
            return _deny(output, Code.SANITISE, "sanitise", "nothing of its words is left once they are clean", _AGAIN)
        if max(map(len, texts_of(cleaned)), default=0) > LONGEST_CLEANED:
            return _deny(output, Code.SANITISE, "length", f"its words are over {LONGEST_CLEANED:,} characters", _AGAIN)
        return cleaned

    def _resolve(self, output: Output) -> Output | Denied:
        resolved = resolve(output, self._policy, self._context)
        if isinstance(resolved, tuple):
            return _deny(output, Code.RESOLVE, "resolve", *resolved)
        # Words that were put together can mean more than they did apart.
        return resolved if texts_of(resolved) == texts_of(output) else self._clean(resolved)

    def _finish(self, output: Output) -> Output:
        """Put the host's own words around the agent's: a warning where they are wrong, and the run's link."""
        if self._context.verified is False and any(contradicts(text, verified=False) for text in texts_of(output)):
            output = change_body(output, put_banner)
        return change_body(output, lambda text: put_run_link(text, self._context.run_url, self._as_words))

    def _as_words(self, text: str) -> str:
        return clean_words(text, self._allowance, keep_code=False)


def _deny(output: Output, code: Code, rule: str, what: str, how_to_allow: str) -> Denied:
    return Denied(index=None, output=output, code=code, rule=rule, what=what, how_to_allow=how_to_allow)
