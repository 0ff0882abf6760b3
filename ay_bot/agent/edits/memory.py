"""A stage without a disk: the files are given as text, and so is what becomes of them."""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ay_bot.agent.edits.staging import Stage, Staged, StageError


@dataclass(slots=True)
class MemoryStage(Stage):
    """The files of one call; a path that is not among them is a file that does not exist."""

    names: dict[Path, str] = field(default_factory=dict)

    def open(self, path: Path, name: str) -> Staged:
        """A file as it was given, or none. Raises StageError where there can't be one."""
        if path not in self.files:
            self.files[path] = Staged(name, None, None, None)
        return self.files[path]

    def write(self, path: Path, name: str, content: bytes | None) -> None:
        """Set what a file shall be. Raises StageError where another file is in the way."""
        if content is not None:
            self._check_room(path, name)
        self.open(path, name).after = content

    def _check_room(self, path: Path, name: str) -> None:
        present = [other for other, staged in self.files.items() if staged.after is not None and other != path]
        for other in present:
            if other in path.parents or path in other.parents:
                msg = f"{name} can't be written: {self.name(other)} is in the way"
                raise StageError(msg)

    def name(self, path: Path) -> str:
        """How the caller writes a path."""
        return self.names.get(path, path.as_posix())

    def resolve(self, name: str) -> Path:
        """The key of a path. Raises StageError for one that leaves the folder of the files."""
        path = Path(name)
        if path not in self.names and (PurePosixPath(name).is_absolute() or ".." in path.parts or not path.parts):
            msg = f"{name or 'the path'} is not a path within the folder"
            raise StageError(msg)
        if "\0" in name:
            msg = "a path can't hold a zero byte"
            raise StageError(msg)
        return path

    def texts(self, *, before: bool = False) -> dict[str, str | None]:
        """Every file as text, None for one that does not exist any more."""
        found: dict[str, str | None] = {}
        for path, staged in self.files.items():
            content = staged.before if before else staged.after
            if staged.before is not None or content is not None:
                found[self.name(path)] = None if content is None else content.decode("utf-8", "surrogatepass")
        return found


def stage_texts(texts: dict[str, str | None]) -> MemoryStage:
    """A stage that holds these files, None for one that does not exist. Raises StageError for a name that is none."""
    stage = MemoryStage()
    for name, text in texts.items():
        path = Path(name)
        if not path.parts:
            msg = f"{name!r} is no path of a file"
            raise StageError(msg)
        if path in stage.names:
            msg = f"{stage.names[path]!r} and {name!r} are the same file"
            raise StageError(msg)
        content = None if text is None else text.encode("utf-8", "surrogatepass")
        stage.files[path] = Staged(name, content, content, None)
        stage.names[path] = name
    return stage
