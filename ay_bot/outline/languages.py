"""Which language a file is written in, told from its name."""

from typing import Final

# The order is the number that a cached digest stores: append, never reorder.
GRAMMARS: Final = (
    "",
    "bash",
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "kotlin",
    "php",
    "python",
    "ruby",
    "rust",
    "scala",
    "swift",
    "tsx",
    "typescript",
)

_SUFFIXES: Final = {
    "bash": ("sh", "bash", "zsh", "ksh", "bats"),
    "c": ("c",),
    "cpp": ("cc", "cpp", "cxx", "c++", "h", "hh", "hpp", "hxx", "h++", "inl", "ipp", "tpp", "cu", "cuh", "ino"),
    "csharp": ("cs", "csx"),
    "go": ("go",),
    "java": ("java",),
    "javascript": ("js", "jsx", "mjs", "cjs"),
    "kotlin": ("kt", "kts"),
    "php": ("php", "php5", "php7", "phtml"),
    "python": ("py", "pyi", "pyw"),
    "ruby": ("rb", "rake", "gemspec", "ru"),
    "rust": ("rs",),
    "scala": ("scala", "sc", "sbt"),
    "swift": ("swift",),
    "tsx": ("tsx",),
    "typescript": ("ts", "mts", "cts"),
}
_NAMES: Final = {"rakefile": "ruby", "gemfile": "ruby", "guardfile": "ruby", "vagrantfile": "ruby"}
_BY_SUFFIX: Final = {suffix: language for language, suffixes in _SUFFIXES.items() for suffix in suffixes}


def language_of(path: str) -> str:
    """Return the name of the grammar for a file, or nothing where there is none for it."""
    name = path.rpartition("/")[2].lower()
    return _NAMES.get(name) or _BY_SUFFIX.get(name.rpartition(".")[2], "") if "." in name else _NAMES.get(name, "")
