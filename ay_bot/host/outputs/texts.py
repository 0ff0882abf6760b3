"""Where an output has words: one place to read them and to change them, so that no field is forgotten."""

from collections.abc import Callable, Iterator

from ay_bot.protocol.outputs import (
    CreatePullRequestOutput,
    IssueOutput,
    LabelsOutput,
    Output,
    ReviewOutput,
    UpdatePullRequestOutput,
)

_WORDS = ("body", "reason", "question")


def may_become_a_commit(output: Output) -> bool:
    """Whether the words of an output may become a commit's message, where code is not told from words."""
    return isinstance(output, CreatePullRequestOutput | UpdatePullRequestOutput)


def title_of(output: Output) -> str | None:
    """Return the output's title, None where it has none."""
    if isinstance(output, CreatePullRequestOutput | UpdatePullRequestOutput | IssueOutput):
        return output.title
    return None


def words_of(output: Output) -> Iterator[str]:
    """Yield all of an output's words but its title."""
    for name in _WORDS:
        if isinstance(words := output.__dict__.get(name), str):
            yield words
    if isinstance(output, ReviewOutput):
        yield from (remark.body for remark in output.comments)


def texts_of(output: Output) -> tuple[str, ...]:
    """Return everything in an output that people will read."""
    title = title_of(output)
    return (*(() if title is None else (title,)), *words_of(output))


def strings_of(output: Output) -> tuple[str, ...]:
    """Return every string in an output that the agent chose."""
    labels = output.labels if isinstance(output, LabelsOutput | IssueOutput) else ()
    paths = (remark.path for remark in output.comments) if isinstance(output, ReviewOutput) else ()
    return (*texts_of(output), *labels, *paths)


def change_texts(output: Output, words: Callable[[str], str], title: Callable[[str], str]) -> Output:
    """Return the output with other words."""
    changed: dict[str, object] = {
        name: words(text) for name in _WORDS if isinstance(text := output.__dict__.get(name), str)
    }
    if (before := title_of(output)) is not None:
        changed["title"] = title(before)
    if isinstance(output, ReviewOutput):
        changed["comments"] = tuple(
            remark.model_copy(update={"body": words(remark.body)}) for remark in output.comments
        )
    return output.model_copy(update=changed)


def change_body(output: Output, words: Callable[[str], str]) -> Output:
    """Return the output with other words where they become a text of their own on GitHub."""
    changed = {name: words(text) for name in ("body", "question") if isinstance(text := output.__dict__.get(name), str)}
    return output.model_copy(update=changed) if changed else output
