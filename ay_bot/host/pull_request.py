"""The pull request's text: what the model says it did, and, written by the host alone, how that was verified."""

from collections.abc import Sequence

from ay_bot import __version__
from ay_bot.host.changes import PatchEntry, VerifiedPatch
from ay_bot.host.checks import Proof
from ay_bot.host.outgoing_text import neutralise
from ay_bot.host.outputs.contradiction import contradicts, put_banner
from ay_bot.host.plain_text import clean_line, shorten
from ay_bot.host.redact.change import keys_added
from ay_bot.host.redact.redactor import SHAPES_ALONE
from ay_bot.protocol.conversation import Value
from ay_bot.protocol.messages import ReviewFinding

LONGEST_SUMMARY = 6_000
LONGEST_BODY = 60_000  # a forge takes 65,536
MOST_OBJECTIONS = 20
MOST_ROWS = 50
MOST_FILES = 100
_FOOTER = f"---\nMade by ay-bot {__version__}. All from “How this was verified” on is the host's own, not the model's."
_STATUS = {"A": "added", "M": "changed", "D": "deleted"}


class PullRequestText(Value):
    """Title and sections, and why the pull request would be a draft (nothing: it would not)."""

    title: str
    sections: tuple[str, ...]
    draft_reasons: tuple[str, ...] = ()
    end: tuple[str, ...] = (_FOOTER,)

    @property
    def body(self) -> str:
        """The sections and the end, which stays whole however long the sections are."""
        end = "\n\n".join(part for part in self.end if part)
        sections = "\n\n".join(section for section in self.sections if section)
        return f"{shorten(sections, LONGEST_BODY - len(end))}\n\n{end}\n"

    @property
    def draft(self) -> bool:
        """Whether a person has to look before anything else happens."""
        return bool(self.draft_reasons)


def render(  # noqa: PLR0913 - each is a fact of its own
    *,
    title: str,
    summary: str,
    task: str,
    patch: VerifiedPatch,
    proof: Proof,
    failure: str = "",
    objections: Sequence[ReviewFinding] | None = None,
) -> PullRequestText:
    """Return the text for a patch. `failure` says why the tests don't prove it; without one they do.

    `objections` are a reviewing model's, None where it has none.
    """
    reasons = _find_draft_reasons(patch, proof, failure)
    if objections is not None:
        reasons = (*reasons, "The model that reviewed it objects; see above.")
    sections = (
        _render_summary(summary, task, verified=not failure),
        _render_objections(objections) if objections is not None else "",
        _render_proof(proof, failure),
        _render_files(patch.entries),
        _render_guarded(patch),
        _render_draft(reasons),
    )
    return PullRequestText(title=clean_line(title), sections=sections, draft_reasons=reasons)


def render_markdown(title: str, body: str) -> str:
    """Return a pull request as one Markdown page."""
    return f"# {title}\n\n{body.rstrip()}\n"


def quote_summary(summary: str) -> str:
    """Return a model's words as a quotation that can't pass for anything of the host's."""
    return _quote(_lower_headings(neutralise(shorten(summary.strip(), LONGEST_SUMMARY)).strip()))


def escape_cell(text: str) -> str:
    """Return text as code that fits into a cell of a Markdown table and can't leave it."""
    # Nor can it be taken for a marker of ours by whoever reads the source of a page.
    line = clean_line(text).replace("|", "\\|").replace("`", "'").replace("<!", "< !").strip()
    return f"`{line or ' '}`"


def _find_draft_reasons(patch: VerifiedPatch, proof: Proof, failure: str) -> tuple[str, ...]:
    reasons = list(patch.alarms)
    if failure:
        reasons.append(f"The tests do not prove it: {failure}.")
    if patch.review:
        reasons.append(f"It changes files that a person has to look at: {_name([path for path, _ in patch.review])}.")
    if patch.withheld:
        reasons.append(f"A part of it was withheld: {_name([path for path, _ in patch.withheld])}.")
    if proof.counts.get("flaky"):
        reasons.append("Some tests gave different outcomes on the same tree.")
    return (*reasons, *keys_added(patch.diff, SHAPES_ALONE))


def _name(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(escape_cell(path) for path in paths[:5]) + more


def _render_summary(summary: str, task: str, *, verified: bool) -> str:
    asked = " ".join(neutralise(shorten(task.strip().splitlines()[0] if task.strip() else "", 200)).split())
    about = f"\n\n**Task:** {asked}" if asked else ""
    words = quote_summary(summary) or "The model gave no summary."
    words = put_banner(words) if contradicts(summary, verified=verified) else words
    return f"## What and why\n\n{words}{about}"


def _render_objections(objections: Sequence[ReviewFinding]) -> str:
    lines = []
    for finding in objections[:MOST_OBJECTIONS]:
        place = f"{finding.path}:{finding.line}" if finding.line else finding.path
        text = " ".join(neutralise(shorten(finding.text, 500)).split())
        lines.append(f"{escape_cell(place)}: {text}" if place else text)
    words = "\n".join(f"- {line}" for line in lines) or "It gave no reason."
    return f"## What a reviewing model objects to\n\n{_quote(words)}"


def _quote(text: str) -> str:
    """Whatever the model's words leave open, a code block for instance, ends with the quotation."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _lower_headings(text: str) -> str:
    """No heading of the model's may pass for one of the host's."""
    lines = []
    for line in text.splitlines():
        bare = line.lstrip()
        underlines = bool(bare) and not bare.strip("=- ")
        lines.append("" if underlines and len(bare) > 1 else f"**{bare.lstrip('# ')}**" if bare[:1] == "#" else line)
    return "\n".join(lines).strip()


def _render_proof(proof: Proof, failure: str) -> str:
    verdict = f"Not proven: {failure}." if failure else "The tests prove this change."
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in proof.counts.items())
    parts = [
        "## How this was verified",
        f"{verdict} {counted[:1].upper()}{counted[1:]}." if counted else verdict,
        _render_tests(proof),
        _render_facts(proof),
        _render_runs(proof),
        "\n".join(f"- {clean_line(note)}" for note in proof.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _render_tests(proof: Proof) -> str:
    rows = [row for row in proof.rows if row.verdict != "unchanged"]
    lines = ["| test | before | after | verdict |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {escape_cell(row.id)} | {row.base} | {row.candidate} | {row.verdict.replace('_', ' ')} |"
        for row in rows[:MOST_ROWS]
    ]
    if len(rows) > MOST_ROWS:
        lines.append(f"| and {len(rows) - MOST_ROWS} more | | | |")
    unchanged = len(proof.rows) - len(rows)
    if unchanged:
        lines.append(
            f"| {'the other ' if rows else ''}{unchanged} {'test' if unchanged == 1 else 'tests'} | | | unchanged |"
        )
    return "\n".join(lines)


def _render_facts(proof: Proof) -> str:
    facts = (
        ("command", proof.command),
        ("box image", proof.image or "none"),
        ("base commit", proof.base),
        ("base tree", proof.base_tree),
        ("tested tree", proof.tree),
    )
    evidence = "per test, from JUnit reports" if proof.per_test else "by exit code alone; no test report is believed"
    return "\n".join([*(f"- {name}: {escape_cell(value)}" for name, value in facts), f"- compared: {evidence}"])


def _render_runs(proof: Proof) -> str:
    lines = ["| run | tree | result | passed | failed | skipped | seconds |", "| --- " * 3 + "| --: " * 4 + "|"]
    for run in proof.runs:
        name, ending = run.purpose.replace("_", " "), clean_line(run.ending)
        counts = f"{run.passed} | {run.failed} | {run.skipped}"
        lines.append(f"| {name} | `{run.tree[:12]}` | {ending} | {counts} | {run.seconds:.1f} |")
    table = "\n".join(lines)
    return f"<details><summary>Runs, each in a fresh box without a model</summary>\n\n{table}\n\n</details>"


def _render_files(entries: Sequence[PatchEntry]) -> str:
    lines = ["## Files", "", *(f"- {_describe(entry)}" for entry in entries[:MOST_FILES])]
    if len(entries) > MOST_FILES:
        lines.append(f"- and {len(entries) - MOST_FILES} more")
    return "\n".join(lines)


def _describe(entry: PatchEntry) -> str:
    extra = ""
    if entry.mode == "100755" and entry.old_mode != "100755":
        extra = ", now executable"
    elif entry.mode == "120000":
        extra = ", a symbolic link"
    return f"{escape_cell(entry.path)} {_STATUS[entry.status]}{extra}"


def _render_guarded(patch: VerifiedPatch) -> str:
    lines = [f"- {escape_cell(path)}: {rule}; please look at it" for path, rule in patch.review]
    lines += [f"- {escape_cell(path)}: withheld; {rule}" for path, rule in patch.withheld]
    return "## Guarded files\n\n" + "\n".join(lines) if lines else ""


def _render_draft(reasons: Sequence[str]) -> str:
    return "## Why this is a draft\n\n" + "\n".join(f"- {reason}" for reason in reasons) if reasons else ""
