"""The images that a request and its thread show: fetched before the work begins, as far as they can be had."""

from ay_bot.host.action.connection import Connection
from ay_bot.host.action.standpoint import Standpoint
from ay_bot.host.github.picture_addresses import places_of
from ay_bot.host.github.picture_source import GithubPictures, Reaching
from ay_bot.host.github.pictures import NOT_SEEN, Seen
from ay_bot.host.github.task_text import find_pictures
from ay_bot.host.github.thread_images import see_images
from ay_bot.host.path_policy import PathPolicy
from ay_bot.host.policy.boxes import is_hidden


def look_at_images(connection: Connection, stand: Standpoint) -> Seen:
    """Return the images that go along to the model, and what is said of the others."""
    pictures = find_pictures(stand.request, stand.snapshot)
    if not pictures:
        return NOT_SEEN
    context, policy = connection.context, PathPolicy(rules=stand.settings.files)
    reaching = Reaching(
        places=places_of(context.server_url, context.api_url),
        repository=context.repository,
        private=stand.facts.private,
        token=connection.forge().token().secret.get_secret_value(),
        hides=lambda path: is_hidden(path, policy),
    )
    return see_images(pictures, GithubPictures(reaching))
