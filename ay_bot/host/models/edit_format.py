"""In which format a model is asked to write edits, where nobody has said."""

from collections.abc import Mapping

from ay_bot.protocol.conversation import Role
from ay_bot.protocol.messages import EditFormat
from ay_bot.protocol.model_facts import ModelFacts


def choose_edit_format(wanted: EditFormat, models: Mapping[Role, ModelFacts], *, architect: bool) -> EditFormat:
    """Return what is wanted, or what whoever writes the edits knows best.

    OpenAI's reasoning models are trained on patches. `auto` stays for all others: the tools for edits where a model
    takes tools, SEARCH/REPLACE in its text where it doesn't.
    """
    facts = models.get("editor" if architect else "main") or models.get("main")
    if wanted == "auto" and facts and facts.provider == "openai" and facts.reasoning and facts.tools:
        return "apply_patch"
    return wanted
