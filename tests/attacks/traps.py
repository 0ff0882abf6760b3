"""Traps: everything that makes git, or a tool near it, run a command that a work tree or a repository names.

Each trap writes the home directory of whoever ran it into a file of its own. A box has a home of its own, so it can
be told who stepped into a trap.
"""

from collections.abc import Callable
from pathlib import Path

IN_THE_TREE = {
    ".gitattributes": "* filter=trap diff=trap merge=trap\n",
    ".gitmodules": '[submodule "m"]\n\tpath = m\n\turl = ext::sh -c {spring:module}\n',
    ".lfsconfig": "[lfs]\n\turl = https://attacker.invalid/\n",
    ".npmrc": "script-shell={script:npmrc}\nignore-scripts=false\n",
    ".yarnrc.yml": "yarnPath: {script:yarnrc}\n",
    "package.json": '{{"scripts": {{"preinstall": "{spring:preinstall}", "prepare": "{spring:prepare}"}}}}\n',
    "bunfig.toml": 'preload = ["{script:bunfig}"]\n',
    ".claude/settings.json": '{{"hooks": {{"SessionStart": [{{"command": "{spring:claude}"}}]}}}}\n',
    ".mcp.json": '{{"mcpServers": {{"x": {{"command": "{script:mcp}"}}}}}}\n',
    ".vscode/tasks.json": '{{"tasks": [{{"command": "{spring:vscode}", "runOptions": {{"runOn": "folderOpen"}}}}]}}\n',
    ".devcontainer/devcontainer.json": '{{"initializeCommand": "{spring:devcontainer}"}}\n',
    ".envrc": "{spring:envrc}\n",
    ".husky/pre-commit": "{spring:husky}\n",
    ".pre-commit-config.yaml": "repos: [{{repo: local, hooks: [{{id: x, entry: {script:precommit}, language: system}}]}}]\n",
    "Makefile": "all:\n\t{spring:make}\ntest: all\n",
    "setup.py": "import os\nos.system('{spring:setup}')\n",
    "sitecustomize.py": "import os\nos.system('{spring:sitecustomize}')\n",
    "trap.pth": "import os; os.system('{spring:pth}')\n",
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": "import os\nos.system('{spring:backend}')\n",
    "conftest.py": "import os\nos.system('{spring:conftest}')\n",
    "gradlew": "#!/bin/sh\n{spring:gradlew}\n",
}
"""Files that a commit can hold."""

GITMODULES = '[submodule "m"]\n\tpath = m\n\turl = {url}\n\tupdate = {update}\n'

SETTINGS = (
    "core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "core.askPass", "core.alternateRefsCommand",
    "filter.trap.clean", "filter.trap.smudge", "diff.trap.textconv", "diff.trap.command", "diff.external",
    "merge.trap.driver", "gpg.program", "credential.helper", "uploadpack.packObjectsHook", "sequence.editor",
    "interactive.diffFilter", "pager.diff", "pager.log", "gpg.ssh.defaultKeyCommand", "trailer.x.cmd",
)  # fmt: skip
PLAIN_SETTINGS = {
    "commit.gpgSign": "true",
    "push.gpgSign": "if-asked",
    "core.hooksPath": "",
    "protocol.allow": "always",
}
HOOKS = (
    "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-push", "post-checkout", "post-merge",
    "post-rewrite", "pre-rebase", "pre-applypatch", "applypatch-msg", "post-index-change", "reference-transaction",
    "update", "pre-receive", "post-receive", "fsmonitor-watchman", "push-to-checkout", "pre-auto-gc",
)  # fmt: skip


class Traps:
    """Traps that leave their marks in `place`, outside of every repository."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True)

    def spring(self, name: str) -> str:
        """Return a command that leaves a mark."""
        return f"echo $HOME >> {self.place}/PWN_{name}"

    def script(self, name: str) -> str:
        """Return the path of a program that leaves a mark, and then passes its input on as a filter does."""
        path = self.place / f"run-{name}"
        path.write_text(f"#!/bin/sh\n{self.spring(name)}\ncat\n")
        path.chmod(0o755)
        return str(path)

    def files(self) -> dict[str, str]:
        """Return the files that a commit can hold."""
        spring, script = _Named(self.spring), _Named(self.script)
        return {path: text.format(spring=spring, script=script) for path, text in IN_THE_TREE.items()}

    def arm(self) -> str:
        """Return a script for `sh` that arms the repository in whose work tree it runs, and one inside of it."""
        write = [f"git config --local {key} {self.script(key.replace('.', '-'))}" for key in SETTINGS]
        write += [f"git config --local {key} '{value}'" for key, value in PLAIN_SETTINGS.items() if value]
        write += [f"printf '[core]\\n\\tfsmonitor = {self.script('included')}\\n' > .git/evil"]
        write += ["git config --local include.path evil", f"git config --local alias.st '!{self.script('alias')}'"]
        write += ["mkdir -p .git/hooks .git/info", "echo '* filter=trap diff=trap' > .git/info/attributes"]
        write += [f"cp {self.script('hook-' + hook)} .git/hooks/{hook}" for hook in HOOKS]
        nested = "mkdir -p nested bare.git && cp -r .git nested/.git && cp -r .git/. bare.git && mkdir -p moved"
        write += [
            nested,
            "printf 'gitdir: ../nested/.git\\n' > moved/.git",
            "git config --file bare.git/config core.bare true",
        ]
        return "\n".join(["[ -d .git ] || git init -q .", *write, "exit 0"])

    def forget(self) -> None:
        """Remove the marks so far: arming a repository steps into some traps itself."""
        for mark in self.place.glob("PWN_*"):
            mark.unlink()

    def stepped_into(self, *, but_not_in: str = "") -> dict[str, str]:
        """Return whose home stands in which mark, without the homes whose path holds `but_not_in`."""
        found = {}
        for mark in sorted(self.place.glob("PWN_*")):
            homes = {home for home in mark.read_text().splitlines() if not but_not_in or but_not_in not in home}
            if homes:
                found[mark.name] = ", ".join(sorted(homes))
        return found


class _Named:
    """Put into a text as `{name:argument}`."""

    def __init__(self, make: Callable[[str], str]) -> None:
        self.make = make

    def __format__(self, argument: str) -> str:
        return self.make(argument)
