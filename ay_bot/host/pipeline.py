"""One request, in order: this module is the table of contents of a run."""

from contextlib import AbstractContextManager
from pathlib import Path

from ay_bot import __version__
from ay_bot.errors import AyBotError, BudgetSpent, ExitCode, LeakSeen, TestsUnusable
from ay_bot.host.attempt import Attempt, take_answer
from ay_bot.host.baseline import Baseline
from ay_bot.host.boxes import Boxes, ended_in_time
from ay_bot.host.briefing import describe_work
from ay_bot.host.checkout import Checkout, open_checkout
from ay_bot.host.config import CONFIG_FILE, Settings
from ay_bot.host.context.planned import planned
from ay_bot.host.environment import environment
from ay_bot.host.event_log import EventLog
from ay_bot.host.findings import NOTHING, Findings, Order, Outcome
from ay_bot.host.gateway_process import Gateway
from ay_bot.host.interrupts import ended_by_signals
from ay_bot.host.models.choosing import choose_models
from ay_bot.host.outcome import conclude, conclude_answer, conclude_given, quarantine
from ay_bot.host.output import OutputDirectory, keeping_reports
from ay_bot.host.policy.boxes import choose_archive
from ay_bot.host.reaper import Reaper
from ay_bot.host.redact.redactor import Redactor
from ay_bot.host.report import Result
from ay_bot.host.repository import Repository, open_repository
from ay_bot.host.sandbox.select import choose
from ay_bot.host.scratch import open_scratch
from ay_bot.host.session import Session
from ay_bot.host.settings_file import load_settings
from ay_bot.host.setup import GroundOf
from ay_bot.host.setup.preparing import Preparing, name_repository, named_image, prepared, read_certificates
from ay_bot.host.site import lay_out
from ay_bot.host.test_command import detect, find_tests
from ay_bot.protocol.events import RunFinished, RunStarted


def run(order: Order, log: EventLog, gateway: Gateway | None, output: OutputDirectory | None) -> tuple[Result, bytes]:
    """Carry out a local request and return its result and the change as a diff; failures are results too."""
    findings = Findings(order, log)
    log.redactor = Redactor((*order.secrets, *(gateway.secrets if gateway else ())), order.canaries.values)
    if output:
        output.redactor = log.redactor
    try:
        outcome = _carry_out(order, findings, gateway, output)
    except KeyboardInterrupt:
        outcome = Outcome("stopped", "interrupted; nothing was published", ExitCode.INTERRUPTED)
    except BudgetSpent as error:
        outcome = Outcome("stopped", str(error), error.exit_code)
    except LeakSeen as error:
        outcome = quarantine(findings, error)
    except TestsUnusable as error:
        outcome = Outcome("tests_failed", str(error), error.exit_code)
    except AyBotError as error:
        outcome = Outcome("error", str(error), error.exit_code)
    log.emit(RunFinished(status=outcome.status, reason=outcome.reason, exit_code=outcome.exit_code))
    result = findings.result(outcome)
    # Outputs are judged as they were said: one that holds a secret is denied, not mended.
    shown = log.redactor.redact_model(result).model_copy(update={"outputs": result.outputs})
    return shown, log.redactor.redact_values(findings.diff)


def _carry_out(order: Order, findings: Findings, gateway: Gateway | None, output: OutputDirectory | None) -> Outcome:
    with open_scratch() as scratch:
        with findings.log.phase("repository"):
            repository = _open_repository(order, findings)
        with open_checkout(repository, scratch) as checkout:
            with findings.log.phase("config"):
                settings = _settle(order, checkout, findings)
                if gateway:
                    gateway.configure(choose_models(settings, checkout, findings))
                command = _find_tests(order, settings, checkout, findings)
            with findings.log.phase("image"):
                boxes = _choose_boxes(settings, findings, gateway)
            with (
                ended_by_signals(boxes.stop),
                ended_in_time(boxes, settings.timeout),
                planned(settings, checkout, findings, boxes, environment()) as make_plan,
                _prepare(order, settings, boxes, checkout, scratch) as ground_of,
            ):
                site = lay_out(boxes, checkout, settings, command, scratch, findings.log, ground_of)
                with (
                    keeping_reports(site.runner, output),
                    Reaper(boxes, findings.notice) as reaper,
                    Baseline(site.runner, boxes, site.base_tree, findings.log) as baseline,
                ):
                    attempt = Attempt(checkout, repository.head, site.runner, baseline, findings)
                    if order.given or not gateway:
                        return conclude_given(attempt, order.given or NOTHING)
                    with site.open_box() as box:
                        meanwhile = (baseline.start, reaper.start) if order.mode == "change" else (reaper.start,)
                        session = Session(box, gateway, findings.log, meanwhile)
                        with findings.log.phase("seed"):
                            session.seed(choose_archive(checkout, site.archive, findings.policy), site.setup)
                        facts = gateway.wait_ready().facts
                        work = describe_work(settings, command, checkout, findings, facts, make_plan)
                        if order.mode == "answer":
                            return conclude_answer(take_answer(session, work, findings), findings)
                        finished, judged = attempt.carry_out(session, work, settings.repair_rounds)
                        return conclude(attempt, session, finished, judged)


# ----------------------------------------------------------------- the steps' small print


def _open_repository(order: Order, findings: Findings) -> Repository:
    repository = open_repository(order.repository)
    findings.repository, findings.base = str(repository.path), repository.head
    for notice in repository.notices if order.trusted is None else ():  # a clone of our own is as we made it
        findings.notice(notice)
    for notice in order.notices:
        findings.notice(notice)
    order.publisher.prepare(repository)
    return repository


def _settle(order: Order, checkout: Checkout, findings: Findings) -> Settings:
    file = checkout.read_file(order.trusted or checkout.repository.head, CONFIG_FILE)
    settings = load_settings(file, order.overrides, needs_model=order.given is None)
    findings.model = settings.main_model
    findings.strict = settings.review == "strict"
    findings.policy = order.policy.model_copy(update={"rules": settings.files})
    return settings


def _find_tests(order: Order, settings: Settings, checkout: Checkout, findings: Findings) -> str:
    if order.mode == "answer":  # which may need no tests
        detected = detect(checkout, checkout.repository.head)
        return settings.test or (detected.command if detected else "")
    return find_tests(settings.test, checkout, checkout.repository.head, findings.notice)


def _prepare(
    order: Order, settings: Settings, boxes: Boxes, checkout: Checkout, scratch: Path
) -> AbstractContextManager[GroundOf]:
    trusted = order.trusted or checkout.repository.head
    name = name_repository(checkout.repository.path, environment())
    certificates = read_certificates(environment())
    return prepared(Preparing(boxes, checkout, trusted, scratch, boxes.log, name, certificates), settings)


def _choose_boxes(settings: Settings, findings: Findings, gateway: Gateway | None) -> Boxes:
    sandbox, notices = choose(
        settings.sandbox,
        environment(),
        image=named_image(settings),
        repository=Path(findings.repository),
        runtime=settings.runtime,
        require=settings.require,
    )
    findings.weaknesses = sandbox.weaknesses()
    for notice in notices:
        findings.notice(notice)
    end = gateway.close if gateway else lambda: None
    boxes = Boxes(sandbox, findings.log, end, findings.order.canaries.environment)
    findings.sandbox, findings.attempts = sandbox.name, boxes.attempts
    findings.log.emit(
        RunStarted(
            version=__version__,
            repository=findings.repository,
            base=findings.base,
            model=findings.model,
            sandbox=sandbox.name,
        )
    )
    return boxes
