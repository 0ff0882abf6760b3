"""The model keys: where each provider's key and address are found in the environment of the gateway's process."""

import os
from collections.abc import Iterable

from ay_bot.gateway.failures import CallFailed
from ay_bot.protocol.messages import ModelSetting

PLACEHOLDER_KEY = "none-needed"  # a server of one's own takes any key, but its protocol wants one
KEYS = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
"""Where the key of each provider on the direct route is found."""
BASES = {
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "gemini": ("GEMINI_API_BASE",),
    "deepseek": ("DEEPSEEK_API_BASE",),
    "mistral": ("MISTRAL_API_BASE",),
    "openrouter": ("OPENROUTER_API_BASE",),
    "xai": ("XAI_API_BASE",),
}
ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "deepseek": "https://api.deepseek.com/beta",
    "mistral": "https://api.mistral.ai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "xai": "https://api.x.ai/v1",
}
"""Where the providers are that speak OpenAI's dialect; a test compares this with what litellm knows."""
IMPORT_SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or the import fetches a price list from the network
    "LITELLM_MODE": "PRODUCTION",  # or the import reads a .env file of the current directory
    "LITELLM_LOG": "ERROR",
    "HF_HUB_OFFLINE": "1",  # or `litellm.completion` fetches tokenizers from a hub, to count what the provider counts
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}


def set_up_environment() -> None:
    """Give litellm the settings that it only takes from the environment."""
    for name, value in IMPORT_SETTINGS.items():
        os.environ.setdefault(name, value)  # noqa: TID251 - litellm is configured by its environment alone
    if bundle := variable(["REQUESTS_CA_BUNDLE"]):
        os.environ.setdefault("SSL_CERT_FILE", bundle)  # noqa: TID251 - the name that httpx knows


def variable(names: Iterable[str]) -> str:
    """Return the first of these variables that says something."""
    environment = os.environ  # noqa: TID251 - model keys live in the environment of this process and nowhere else
    return next((value for name in names if (value := environment.get(name, "").strip())), "")


def secrets() -> tuple[str, ...]:
    """Return the values that must not show up in any message."""
    environment = os.environ  # noqa: TID251
    marks = ("_API_KEY", "SECRET", "_TOKEN", "_PASSWORD")
    return tuple(
        value for name, value in environment.items() if len(value) >= 6 and any(mark in name for mark in marks)
    )


def key_for(setting: ModelSetting, provider: str) -> str:
    """Return the provider's key, or a placeholder for a server of one's own. Raises CallFailed(configuration)."""
    if key := variable(KEYS[provider]):
        return key
    if setting.api_base:
        return PLACEHOLDER_KEY
    names = " or ".join(KEYS[provider])
    raise CallFailed("configuration", f"there is no key for {setting.model}: set {names} in the environment")
