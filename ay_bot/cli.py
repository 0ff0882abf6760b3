"""The commands of `ay-bot`: they parse what the user said, call the pipeline, and turn its end into an exit code."""

import json
import signal
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ay_bot import __version__
from ay_bot.errors import AyBotError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ay_bot.host.event_log import Listener
    from ay_bot.host.gateway_process import Gateway
    from ay_bot.host.github.annotations import WorkflowLog
    from ay_bot.host.outline_source import GitSource
    from ay_bot.host.redteam import Line
    from ay_bot.host.report import Result
    from ay_bot.outline.outlining import Outline

app = typer.Typer(
    name="ay-bot",
    help="A sandboxed coding bot whose pull requests are proven by the repository's own tests.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


boxes = typer.Typer(no_args_is_help=True, help="The wall by itself.")
app.add_typer(boxes, name="sandbox")
models_app = typer.Typer(no_args_is_help=True, help="What is known of models.")
app.add_typer(models_app, name="models")
images = typer.Typer(no_args_is_help=True, help="What boxes are made of.")
app.add_typer(images, name="image")
policy = typer.Typer(no_args_is_help=True, help="What may be read, written, run and asked for, and what may leave.")
app.add_typer(policy, name="policy")
context = typer.Typer(
    no_args_is_help=True, help="What is where in a repository: which files a task is about, and a map."
)
app.add_typer(context, name="context")


RUNTIME = "The engine's runtime for boxes, such as runsc or kata. Default: the engine's own default."
REQUIRE = (
    "What the wall must give, or nothing is run: memory, processes, cpu, inodes, images, kernel; see docs/engines.md."
)


class Prestarted:
    """The gateway that `main` started before anything else was loaded, if any."""

    gateway: "Gateway | None" = None


def main() -> NoReturn:
    """Run the command line; the one place where an exception becomes an exit code."""
    try:
        app()
    except AyBotError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _complain("interrupted")
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        sys.exit(ExitCode.USAGE)
    except Exception:  # noqa: BLE001 - the last resort: a bug is shown in a form that can be reported
        _complain("this is a bug in ay-bot; please report it with what follows")
        sys.stderr.write(f"\nay-bot {__version__}, Python {sys.version}\n\n{traceback.format_exc()}")
        sys.exit(ExitCode.BUG)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left that Ctrl-C could shorten
        if Prestarted.gateway:
            Prestarted.gateway.close()
    sys.exit(ExitCode.HANDLED)


def refuse(error: AyBotError) -> NoReturn:
    """Say why nothing can be done here at all, and end."""
    _complain(str(error))
    sys.exit(error.exit_code)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one argument for each flag
    repo: Annotated[
        Path, typer.Option(help="The git repository; its HEAD is the base, its work tree isn't touched.")
    ] = Path(),
    task: Annotated[str | None, typer.Option(help="What to do, as text.")] = None,
    issue: Annotated[str | None, typer.Option(help="What to do, as a file; `-` reads from stdin.")] = None,
    model: Annotated[str | None, typer.Option(help="The model, as litellm names it: PROVIDER/NAME.")] = None,
    weak_model: Annotated[str | None, typer.Option(help="The model for commit messages. Default: --model.")] = None,
    pack: Annotated[
        str | None, typer.Option(help="A pack of `models:` in the config file, with models by role.")
    ] = None,
    stream: Annotated[bool | None, typer.Option(help="Take answers as they are written. Default: yes.")] = None,
    image_file: Annotated[
        list[Path] | None, typer.Option(help="An image that belongs to the task; several times for several.")
    ] = None,
    api_base: Annotated[str | None, typer.Option(help="The model server's address, if not the provider's own.")] = None,
    test: Annotated[
        str | None, typer.Option(help="The test command. Default: from the config file, or detected.")
    ] = None,
    setup: Annotated[
        str | None, typer.Option(help="A command that installs what the tests need; it runs once, in a box of its own.")
    ] = None,
    sandbox: Annotated[str | None, typer.Option(help="auto, docker or bubblewrap. Default: auto.")] = None,
    runtime: Annotated[str | None, typer.Option(help=RUNTIME)] = None,
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE)] = None,
    image: Annotated[
        str | None, typer.Option(help="The box image. Default: ay-bot's own, with Python and pytest.")
    ] = None,
    load: Annotated[
        list[str] | None, typer.Option(help="Files or directories that the agent begins with; `.` for all that fits.")
    ] = None,
    max_cost: Annotated[float | None, typer.Option(help="Most that the model may cost, in USD. Default: 5.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens for the model. Default: 2000000.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Most model calls of the agent. Default: 100.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for the whole run. Default: 3600.")] = None,
    repair_rounds: Annotated[int | None, typer.Option(help="How often failing tests go back. Default: 1.")] = None,
    branch: Annotated[
        str | None, typer.Option(help="Write the commit to this new local branch. Default: dry run.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A directory for result.json, events.jsonl, change.diff, …")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json on stdout.")] = False,
) -> None:
    """Fix an issue in a local repository, prove it with its tests, and show the pull request that would be opened."""
    from ay_bot.host.config import Overrides
    from ay_bot.host.findings import Order
    from ay_bot.host.local_run import run_locally
    from ay_bot.host.models.images import collect_images
    from ay_bot.host.publisher import DryRun, LocalBranch
    from ay_bot.host.sandbox.guarantees import parse_requirements
    from ay_bot.host.task import read_task
    from ay_bot.terminal import Progress, show_result

    overrides = Overrides(
        model=model,
        weak_model=weak_model,
        pack=pack,
        stream=stream,
        test=test,
        setup=setup,
        sandbox=sandbox,
        runtime=runtime,
        require=parse_requirements(require) if require else None,
        image=image,
        load=tuple(load) if load else None,
        max_cost=max_cost,
        max_tokens=max_tokens,
        max_steps=max_steps,
        timeout=timeout,
        repair_rounds=repair_rounds,
    )
    what = read_task(task, issue)
    images = collect_images(image_file or (), what.text, issue)
    for notice in images.notices:
        typer.echo(f"ay-bot: {notice}", err=True)
    order = Order(
        repository=repo,
        task=what,
        images=images.images,
        overrides=overrides,
        api_base=api_base,
        publisher=LocalBranch(branch) if branch else DryRun(),
        out=out,
    )
    with Progress(sys.stderr) as progress:
        result, diff = run_locally(order, progress, Prestarted.gateway)
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    elif result.status != "error":
        show_result(result, diff)
    _end(result)


@app.command()
def doctor(
    clean: Annotated[bool, typer.Option(help="Remove what dead runs left behind.")] = False,
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE)] = None,
    repo: Annotated[
        Path | None, typer.Option(help="Look at a repository too: its workflows, configuration, model key and token.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Say which sandboxes work here and what they can't give, and what is wrong with a repository's workflows."""
    from ay_bot.errors import UsageError
    from ay_bot.host.doctor import clean_up, examine
    from ay_bot.host.sandbox.guarantees import parse_requirements
    from ay_bot.terminal import show_examination

    required = parse_requirements(require or ())
    removed = clean_up() if clean else ()
    if repo and not repo.is_dir():
        raise UsageError(f"{repo} is no directory", hint="give the work tree of a repository with --repo")
    examination = examine(removed, repo, required, try_doors=not clean)
    if as_json:
        typer.echo(examination.model_dump_json(indent=2))
    else:
        show_examination(examination)
    if not examination.usable:
        raise typer.Exit(ExitCode.SANDBOX_UNAVAILABLE)
    if examination.repository and not examination.repository.usable:
        raise typer.Exit(ExitCode.USAGE)


@boxes.command("exec", context_settings={"allow_interspersed_args": False})
def sandbox_exec(  # noqa: PLR0913, PLR0917 - one argument for each flag
    command: Annotated[list[str], typer.Argument(help="The command and its arguments, after two dashes.")],
    sandbox: Annotated[str, typer.Option("--sandbox", "--driver", help="auto, docker or bubblewrap.")] = "auto",
    runtime: Annotated[str, typer.Option(help=RUNTIME)] = "",
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE)] = None,
    image: Annotated[str, typer.Option(help="The box image. Default: ay-bot's own.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds for the command.")] = 600.0,
    repo: Annotated[
        Path | None, typer.Option(help="A git repository whose HEAD is the workspace. Default: empty.")
    ] = None,
    policy_file: Annotated[
        Path | None, typer.Option("--policy", help="The configuration file that counts. Default: the repository's.")
    ] = None,
    network: Annotated[
        str, typer.Option(help="none, setup or agent as the policy has them, or presets and hosts: pip,example.org.")
    ] = "none",
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,
) -> None:
    """Run any command behind the wall that agents and tests have, and end with its exit code."""
    from ay_bot.agent.guarding import judge_line
    from ay_bot.host.environment import environment
    from ay_bot.host.sandbox_exec import Wanted
    from ay_bot.host.sandbox_exec import run as run_in_box
    from ay_bot.terminal import CommandView

    view = CommandView(sys.stdout, sys.stderr)
    wanted = Wanted(
        sandbox=sandbox,
        image=image,
        timeout=timeout,
        repository=repo,
        directory=Path(),
        runtime=runtime,
        require=require or (),
        policy=policy_file,
        network=network,
        judge=judge_line,
        show=(lambda _: None) if as_json else view.show,
        tell=view.tell,
        notice=view.notice,
    )
    done = run_in_box(command, environment(), wanted)
    if as_json:
        typer.echo(done.model_dump_json(indent=2))
    view.end(done, with_output=not as_json)
    if done.exit_code:
        raise typer.Exit(done.exit_code)


@policy.command("explain", context_settings={"ignore_unknown_options": True})
def policy_explain(
    words: Annotated[list[str], typer.Argument(help="A host, a path or a command.")],
    repo: Annotated[Path, typer.Option(help="The git repository whose settings at HEAD count.")] = Path(),
    kind: Annotated[str, typer.Option("--as", help="host, path or command, where a word could be more than one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Say what would happen to a host, a path or a command, which rule decides, and what would change that."""
    from ay_bot.agent.guarding import judge_line
    from ay_bot.host.policy.answers import render_explanation
    from ay_bot.host.policy.explain import explain, parse_kind
    from ay_bot.host.policy.source import open_policy

    with open_policy(repo) as source:
        explanation = explain(words, source, judge_line, parse_kind(kind))
    typer.echo(explanation.model_dump_json(indent=2) if as_json else render_explanation(explanation))


@policy.command("check")
def policy_check(
    diff: Annotated[str, typer.Argument(help="A file with a diff; `-` reads from stdin.")],
    repo: Annotated[
        Path | None, typer.Option(help="The git repository that it applies to. Default: this directory's, if any.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Judge a diff as if it came out of a box; exit code 6 if any of it would be held back."""
    from ay_bot.host.policy.check import check_diff, read_diff, render_judged
    from ay_bot.host.policy.source import find_repository, open_policy

    content = read_diff(diff, sys.stdin.buffer)
    with open_policy(repo or find_repository(Path())) as source:
        judged = check_diff(content, source)
    typer.echo(judged.model_dump_json(indent=2) if as_json else render_judged(judged))
    if judged.exit_code:
        raise typer.Exit(judged.exit_code)


@images.command("build")
def image_build(
    repo: Annotated[Path, typer.Option(help="The git repository; its HEAD is what counts.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print what was built as JSON.")] = False,
) -> None:
    """Build what the boxes for a repository are made of, with its set-up done, or find it built."""
    from ay_bot.host.environment import environment
    from ay_bot.host.setup.images import build_image
    from ay_bot.terminal import Progress

    with Progress(sys.stderr) as progress:
        built = build_image(repo, environment(), progress)
    said = f"{built.image or 'the own image of ay-bot: no set-up is configured'} ({built.seconds:.1f} s)"
    typer.echo(built.model_dump_json(indent=2) if as_json else said)


@images.command("list")
def image_list(as_json: Annotated[bool, typer.Option("--json", help="Print the images as JSON.")] = False) -> None:
    """List the images that set-ups left on this engine."""
    from ay_bot.host.environment import environment
    from ay_bot.host.setup.images import list_images
    from ay_bot.terminal import show_images

    found = list_images(environment())
    if as_json:
        typer.echo(json.dumps([image.model_dump() for image in found], indent=2))
    else:
        show_images(found)


@images.command("prune")
def image_prune(
    everything: Annotated[bool, typer.Option("--all", help="Remove all that nothing runs of.")] = False,
    older_than: Annotated[str, typer.Option(help="Remove those made longer ago than this, such as 7d.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was removed as JSON.")] = False,
) -> None:
    """Remove images of set-ups: beyond the newest few, or older ones, or all. One that is in use stays."""
    from ay_bot.host.environment import environment
    from ay_bot.host.setup.images import prune_images

    removed = prune_images(environment(), everything=everything, older_than=older_than)
    if as_json:
        typer.echo(json.dumps([image.model_dump() for image in removed], indent=2))
    else:
        typer.echo("\n".join(f"removed {image.name}" for image in removed) or "nothing to remove")


@images.command("runtime")
def image_runtime(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Prepare the runtime that boxes of any image carry, and see it run."""
    from ay_bot.host.environment import environment
    from ay_bot.host.setup.images import prepare_runtime
    from ay_bot.terminal import show_runtime

    runtime = prepare_runtime(environment())
    if as_json:
        typer.echo(runtime.model_dump_json(indent=2))
    else:
        show_runtime(runtime)
    if not runtime.runs:
        raise typer.Exit(ExitCode.SANDBOX_UNAVAILABLE)


CAPABILITIES = "A configuration file whose `capabilities:` count, such as .github/ay-bot.yml."


@models_app.command("list")
def models_list(
    provider: Annotated[str, typer.Option(help="Only those of a provider, such as `anthropic`.")] = "",
    config: Annotated[Path | None, typer.Option(help=CAPABILITIES)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
) -> None:
    """List the models that litellm's table knows: how much they take, what they can do, what they cost."""
    from ay_bot.host.environment import environment
    from ay_bot.host.models.known import list_models, read_capabilities, render_table

    models = list_models(environment(), read_capabilities(config), provider)
    typer.echo(json.dumps([one.model_dump() for one in models], indent=2) if as_json else render_table(models))


@models_app.command("show")
def models_show(
    name: Annotated[str, typer.Argument(help="The model, as litellm names it: PROVIDER/NAME.")],
    config: Annotated[Path | None, typer.Option(help=CAPABILITIES)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object.")] = False,
) -> None:
    """Say what is known of one model."""
    from ay_bot.host.environment import environment
    from ay_bot.host.models.known import read_capabilities, render_one, show_model

    facts = show_model(environment(), read_capabilities(config), name)
    typer.echo(facts.model_dump_json(indent=2) if as_json else render_one(facts))


@app.command()
def redteam(
    only: Annotated[list[str] | None, typer.Argument(help="Beginnings of attacks' names. Default: all.")] = None,
    sandbox: Annotated[str, typer.Option("--sandbox", "--driver", help="auto, docker or bubblewrap.")] = "auto",
    runtime: Annotated[str, typer.Option(help=RUNTIME)] = "",
    require: Annotated[list[str] | None, typer.Option(help=REQUIRE)] = None,
    image: Annotated[str, typer.Option(help="The box image. Default: ay-bot's own.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the scorecard as JSON.")] = False,
) -> None:
    """Attack boxes of this machine, each attack first without its protection, and print what came of it."""
    from ay_bot.host.environment import environment
    from ay_bot.host.redteam.run import exit_code, render_table
    from ay_bot.host.redteam.run import run as attack

    def tell(line: "Line") -> None:
        typer.echo(line.text(), err=as_json)

    card = attack(
        environment(), tell, sandbox=sandbox, image=image, only=only or (), runtime=runtime, require=require or ()
    )
    for notice in card.notices:
        typer.echo(f"ay-bot: {notice}", err=True)
    typer.echo(card.model_dump_json(indent=2) if as_json else f"\n{render_table(card)}")
    if code := exit_code(card):
        raise typer.Exit(code)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="`config`, `result` or `events`.")] = "config",
) -> None:
    """Print the JSON schema of the configuration file, of result.json, or of a line of events.jsonl."""
    from ay_bot.errors import UsageError
    from ay_bot.host.report import result_schema
    from ay_bot.host.settings_file import settings_schema
    from ay_bot.protocol.events import Record

    if what == "result":
        typer.echo(result_schema(), nl=False)
    elif what == "events":
        typer.echo(json.dumps(Record.model_json_schema(), indent=2))
    elif what == "config":
        typer.echo(settings_schema(), nl=False)
    else:
        raise UsageError(f"there is no schema `{what}`", hint="choose `result`, `events` or `config`")


@app.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
def gate(context: typer.Context) -> None:
    """Decide whether an event of GitHub is for the bot: run, ignore or deny, with a reason code."""
    from ay_bot.host.gate import run as run_gate

    if code := run_gate(context.args):
        raise typer.Exit(code)


@app.command()
def action(
    finalize: Annotated[bool, typer.Option("--finalize", help="Only repair what a dead run has left behind.")] = False,
) -> None:
    """Do what an event of GitHub asks for: what the Action's container runs, told by the runner's environment."""
    from ay_bot.host.action.entry import finalize_action, run_action
    from ay_bot.host.environment import environment

    _end_action(lambda show, log: (finalize_action if finalize else run_action)(environment(), show, log))


@app.command()
def publish(
    bundle: Annotated[Path, typer.Option(help="The directory or zip file that the job with the model has written.")],
) -> None:
    """Prove the change of a bundle again and publish it: the hardened form's second job, which has no model's key."""
    from ay_bot.host.action.entry import run_action
    from ay_bot.host.environment import environment

    given = {**environment(), "INPUT_MODE": "publish", "INPUT_BUNDLE": str(bundle.absolute())}
    _end_action(lambda show, log: run_action(given, show, log))


@app.command()
def maintain(
    chore: Annotated[str | None, typer.Option(help="Do only the chore of this name.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Do only what its schedule says is due.")] = False,
) -> None:
    """Do the repository's chores on GitHub, one pull request each; told by the runner's environment, as `action` is."""
    from ay_bot.host.environment import environment
    from ay_bot.host.maintenance.run import maintain as do_chores

    _end_action(lambda show, log: do_chores(environment(), show, log, chore=chore, due=due))


@app.command()
def init(
    repo: Annotated[Path, typer.Option(help="The repository that gets the files.")] = Path(),
    hardened: Annotated[
        bool, typer.Option(help="Two jobs: one has the model's key, the other the token that writes.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Replace files that are there already.")] = False,
    uses: Annotated[
        str, typer.Option("--action", help="The Action, as `uses:` names it. Default: found or told.")
    ] = "",
    model: Annotated[str, typer.Option(help="The model, as litellm names it: PROVIDER/NAME.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Write the workflow and the configuration file that let the bot work on this repository's issues."""
    from ay_bot.host.init import run_init

    done = run_init(repo, hardened=hardened, force=force, action=uses, model=model)
    if as_json:
        typer.echo(done.model_dump_json(indent=2))
        return
    for name in done.written:
        typer.echo(f"wrote {name}")
    for name in done.unchanged:
        typer.echo(f"left as it is: {name}")
    typer.echo("\nNext:")
    for number, step in enumerate(done.next_steps, start=1):
        typer.echo(f"  {number}. {step}")


@app.command()
def edit(
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="edit, apply_patch, search_replace, udiff or whole. Default: guessed from the reply."
        ),
    ] = None,
    parse_only: Annotated[bool, typer.Option("--parse-only", help="Print the edits that a reply asks for.")] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Read many lines, and answer each.")] = False,
) -> None:
    """Apply a model's edits: a JSON line on stdin with the files and `edits` or a `reply`, and one on stdout."""
    from ay_bot.agent.edits.formats import parse_format
    from ay_bot.agent.edits.shell_edit import BadLine, answer_bad_line, answer_line
    from ay_bot.errors import UsageError

    known = parse_format(form)
    unusable = ""
    for line in sys.stdin.buffer if batch else [sys.stdin.buffer.read()]:
        if batch and not line.strip():
            continue
        try:
            typer.echo(answer_line(line, known, parse_only=parse_only))
        except BadLine as error:
            typer.echo(answer_bad_line(error))
            unusable = str(error)
    if unusable and not batch:
        shape = '{"files": {path: text}, "edits": [{"path", "search", "replace"}]}, or "reply" in the place of "edits"'
        raise UsageError(unusable, hint=f"give one JSON object {shape}; several lines need --batch")


@app.command()
def sanitize(
    as_json: Annotated[bool, typer.Option("--json", help="Print the text and every removal as JSON.")] = False,
) -> None:
    """Clean the text on stdin of all that a person wouldn't see, and print the rest."""
    from ay_bot.host.sanitize import sanitize as clean

    cleaned = clean(sys.stdin.buffer.read().decode(errors="replace"))
    typer.echo(cleaned.as_json() if as_json else cleaned.text.encode(), nl=as_json)


@app.command()
def redact(
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON, without the secrets.")] = False,
) -> None:
    """Take secrets out of the text on stdin: keys by their shape, and the values of the environment's secrets."""
    from ay_bot.host.environment import environment
    from ay_bot.host.redact.shell import run as redact_text

    redact_text(sys.stdin.buffer, sys.stdout.buffer, environment(), as_json=as_json)


_REPO = typer.Option(help="The git repository; only its objects are read.")
_REV = typer.Option(help="The commit to look at.")
_CACHE = typer.Option(help="Where to keep what was read. Default: the user's cache directory.")
_BATCH = typer.Option("--batch", help='Answer lines of {"id", "rev", "query"} on stdin, each with a line of JSON.')


@context.command("index")
def context_index(
    repo: Annotated[Path, _REPO] = Path(),
    rev: Annotated[str, _REV] = "HEAD",
    cache: Annotated[Path | None, _CACHE] = None,
    count_tokens: Annotated[bool, typer.Option("--tokens", help="Count the tokens of all files, too.")] = False,
) -> None:
    """Read whatever of a commit the cache doesn't know yet, so that what comes later is quick."""
    from ay_bot.outline.counting import count_tree

    with _open_context(repo, cache, in_a_log=True) as (outline, open_source):
        source = open_source(rev)
        told = outline.index(source)
        outline.ranking(source)
        counted = f", {count_tree(source)} tokens" if count_tokens else ""
        files, read, deaths = told.filled
        typer.echo(f"{files} files{counted}; read now: {read} files, {told.commits} commits; given up: {deaths} times")


@context.command("rank")
def context_rank(  # noqa: PLR0913, PLR0917 - one argument for each flag
    query_file: Annotated[
        str | None, typer.Option(help="The task: an issue, a commit message, a stack trace; `-` reads from stdin.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many files.")] = 10,
    repo: Annotated[Path, _REPO] = Path(),
    rev: Annotated[str, _REV] = "HEAD",
    cache: Annotated[Path | None, _CACHE] = None,
    batch: Annotated[bool, _BATCH] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Say which files a task is about, the likeliest first."""
    from ay_bot.errors import UsageError
    from ay_bot.host.outline_source import printable
    from ay_bot.outline.shell import Request, answer_batch, rank_line, read_lines

    if query_file is None and not batch:
        raise UsageError("there is no task", hint="give one with --query-file, or many with --batch")
    query = "" if batch else _read_query(query_file)
    with _open_context(repo, cache) as (outline, open_source):
        if batch:
            for line in answer_batch(
                read_lines(sys.stdin.buffer), open_source, rev, lambda s, r: rank_line(outline, s, r, top)
            ):
                typer.echo(line)
        elif as_json:
            typer.echo(rank_line(outline, open_source(rev), Request("", rev, query), top))
        else:
            for file in outline.rank(open_source(rev), query, top):
                typer.echo(f"{file.score:8.3f}  {printable(file.path)}")


@context.command("map")
def context_map(  # noqa: PLR0913, PLR0917 - one argument for each flag
    tokens: Annotated[int, typer.Option(min=0, max=10_000_000, help="Most tokens of the map.")] = 1024,
    query_file: Annotated[str | None, typer.Option(help="The task; `-` reads from stdin. Default: none.")] = None,
    repo: Annotated[Path, _REPO] = Path(),
    rev: Annotated[str, _REV] = "HEAD",
    cache: Annotated[Path | None, _CACHE] = None,
    batch: Annotated[bool, _BATCH] = False,
    encoding: Annotated[str, typer.Option(help="o200k_base or cl100k_base. Default: whichever counts more.")] = "",
) -> None:
    """Print the lines that define things in the files that matter most, in no more than so many tokens."""
    from ay_bot.errors import UsageError
    from ay_bot.outline.counting import VOCABULARIES, count_most, draw_within
    from ay_bot.outline.shell import answer_batch, map_line, read_lines

    if encoding and encoding not in VOCABULARIES:
        raise UsageError(f"there is no vocabulary `{encoding}`", hint=f"choose {' or '.join(VOCABULARIES)}")
    query = _read_query(query_file) if query_file and not batch else ""
    encodings = (encoding,) if encoding else ()
    with _open_context(repo, cache) as (outline, open_source):
        if batch:
            count = count_most(encodings)
            for line in answer_batch(
                read_lines(sys.stdin.buffer), open_source, rev, lambda s, r: map_line(outline, s, r, tokens, count)
            ):
                typer.echo(line)
        else:
            source = open_source(rev)
            text = draw_within(lambda count: outline.map(source, query, tokens, count), tokens, encodings)
            typer.echo(text, nl=False)


@context.command("build")
def context_build(  # noqa: PLR0913, PLR0917 - one argument for each flag
    tokens: Annotated[int, typer.Option(min=4_000, max=100_000_000, help="Most tokens of a conversation.")] = 100_000,
    query_file: Annotated[str | None, typer.Option(help="The task; `-` reads from stdin. Default: none.")] = None,
    load: Annotated[
        list[str] | None,
        typer.Option(help="Patterns of the files to begin with, as for `run`. Default: the settings', or all."),
    ] = None,
    repo: Annotated[Path, _REPO] = Path(),
    rev: Annotated[str, _REV] = "HEAD",
    cache: Annotated[Path | None, _CACHE] = None,
    batch: Annotated[bool, _BATCH] = False,
    model: Annotated[str, typer.Option(help="The model whose tokens are counted. Default: whoever counts more.")] = "",
    text: Annotated[bool, typer.Option("--text", help="Print what the agent would be told.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Show what an agent would begin a task with: which layers, which files, how many tokens of each."""
    from ay_bot.agent.opening import Opening, lay_out_opening
    from ay_bot.host.context.describing import describe_commit
    from ay_bot.outline.shell import Request, answer_batch, read_lines
    from ay_bot.terminal import show_opening

    query = _read_query(query_file) if query_file and not batch else ""
    with _open_context(repo, cache) as (outline, open_source):

        def build(source: "GitSource", request: Request) -> Opening:
            described = describe_commit(outline, source, request.query, tokens, load or (), model)
            return lay_out_opening(described.work, described.files, described.count)

        def line(source: "GitSource", request: Request) -> str:
            return build(source, request).as_line(request.id, request.rev)

        if batch:
            for answer in answer_batch(read_lines(sys.stdin.buffer), open_source, rev, line):
                typer.echo(answer)
            return
        request = Request("", rev, query)
        if as_json:
            typer.echo(line(open_source(rev), request))
        elif text:
            typer.echo(build(open_source(rev), request).text)
        else:
            show_opening(build(open_source(rev), request))


@contextmanager
def _open_context(
    repo: Path, cache: Path | None, *, in_a_log: bool = False
) -> "Iterator[tuple[Outline, Callable[[str], GitSource]]]":
    from ay_bot.host.context import cache_directory, name_place
    from ay_bot.host.environment import environment
    from ay_bot.host.outline_source import GitSource
    from ay_bot.host.repository import find_git_dir
    from ay_bot.outline.outlining import open_outline
    from ay_bot.terminal import FileCount

    git_dir = find_git_dir(repo)
    with (
        FileCount(sys.stderr, in_a_log=in_a_log) as count,
        open_outline(cache_directory(cache, environment()), name_place(git_dir), tell=count.show) as outline,
    ):
        yield outline, lambda rev: GitSource(git_dir, rev)


def _read_query(query_file: str | None) -> str:
    from ay_bot.errors import UsageError
    from ay_bot.outline.shell import read_query

    if query_file is None or query_file == "-":
        return read_query(sys.stdin.buffer)
    try:
        with Path(query_file).open("rb") as file:
            return read_query(file)
    except OSError as error:
        raise UsageError(f"{query_file} can't be read: {error.strerror}", hint="give the task's file") from None


def _end_action(carry_out: "Callable[[Listener, WorkflowLog], ExitCode]") -> None:
    from ay_bot.host.github.annotations import WorkflowLog
    from ay_bot.terminal import FoldedProgress

    def write(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    log = WorkflowLog(write)
    with FoldedProgress(sys.stdout, log) as progress:
        code = carry_out(progress, log)
    if code:
        raise typer.Exit(code)


def _end(result: "Result") -> None:
    if result.status == "error":
        _complain(result.reason)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _complain(message: str) -> None:
    sys.stderr.write(f"ay-bot: error: {message}\n")
