"""How tests put people, Apps and tokens on the loopback GitHub."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from tests.loopback_github.seeding import RepositorySeeding
from tests.loopback_github.world import Account, App, Token

GITHUB_TOKEN = {
    "metadata": "read", "contents": "write", "issues": "write", "pull_requests": "write", "statuses": "write",
    "checks": "read", "actions": "write",
}  # fmt: skip


class PeopleSeeding(RepositorySeeding):
    """Accounts and what they may."""

    def add_user(
        self,
        login: str,
        role: str = "",
        *,
        base: str = "",
        repository: str = "",
        association: str = "",
        name: str | None = None,
        email: str | None = None,
    ) -> Account:
        """Make an account, with a role on the repository; the association is what GitHub would say of that.

        A role that isn't GitHub's own is based on another one, `base`.
        """
        account = self.world.account(login)
        account.name, account.email = name or account.name, email or account.email
        if role:
            self.repository(repository).roles[login.lower()] = role
        if base:
            self.repository(repository).base_roles[role] = base
        if association:
            self.repository(repository).associations[login.lower()] = association
        return account

    def add_token(
        self, login: str, permissions: Mapping[str, str] | None = None, *, app: str | None = None, value: str = "",
        repositories: Sequence[str] | None = None, expires: datetime | None = None,
    ) -> str:  # fmt: skip
        """Return a token of an account; with `permissions` a fine-grained one, with `app` an installation's."""
        self.world.account(login)
        prefix = "ghs_" if app else "ghp_" if permissions is None else "github_pat_"
        value = value or prefix + secrets.token_hex(18)
        within = frozenset(name.lower() for name in repositories) if repositories is not None else None
        granted = None if permissions is None else {"metadata": "read", **permissions}
        self.world.tokens[value] = Token(value, login, granted, within, app, expires)
        return value

    def add_actions_token(self, permissions: Mapping[str, str] | None = None, *, repository: str = "") -> str:
        """Return a GITHUB_TOKEN of a workflow: that of `github-actions[bot]` for one repository."""
        name = self.repository(repository).full_name
        granted = GITHUB_TOKEN if permissions is None else permissions
        return self.add_token("github-actions[bot]", granted, app="github-actions", repositories=[name])

    def add_app(
        self, slug: str, permissions: Mapping[str, str] | None = None, *, repositories: Sequence[str] = ()
    ) -> App:
        """Register an App with a key of its own and install it on repositories."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        granted = {"metadata": "read", **(permissions or GITHUB_TOKEN)}
        app = self.world.apps[slug] = App(slug, self.world.new_id(), private.decode(), public.decode(), granted)
        self.world.account(f"{slug}[bot]")
        for repo in [self.repository(name) for name in repositories or [""]]:
            repo.apps.add(slug)
            if repo.owner not in app.installations.values():
                app.installations[self.world.new_id()] = repo.owner
        return app
