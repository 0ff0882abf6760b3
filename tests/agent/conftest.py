"""How tokens are counted where a test says what a prompt may cost."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def count(monkeypatch):
    """Count cl100k tokens with the encoding that litellm ships, without importing litellm or asking the network."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("litellm is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    import tiktoken

    encoding = tiktoken.get_encoding("cl100k_base")
    return lambda text: len(encoding.encode(text))
