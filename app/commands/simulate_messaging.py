"""`rekindle simulate-messaging`."""

import signal
from threading import Event
from typing import Annotated

import typer

from app.commands.console import STDERR, fail, mistakes
from app.settings import RULES_NONE, load


def simulate_messaging(
    rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL.WHAT=SHARE",
            help="A made-up share, such as email.opened=0.4; what: failed, delivered, opened, clicked, unsubscribed."
            " Several times for several.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another one makes up other answers.")] = 0,
) -> None:
    """A simulator, for tries without a messaging system: answers triggers with made-up reports, until Ctrl-C.

    It sends nothing to anybody. It reads recall-triggers, and publishes on events.message that messages were sent,
    delivered, opened, clicked, failed or unsubscribed: made up from a hash of the trigger's id, so always the same. Its
    event ids begin with "simulated-". Do not run it beside a real messaging system.
    """
    from app.messaging.office import Office
    from app.messaging.rates import with_rates
    from app.messaging.simulator import Simulator

    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        rates = with_rates(rate or ())
    except ValueError as error:
        fail(f"--rate: {error}")
    office = Office(rates, seed)
    with mistakes():
        settings = load()
        if settings.rules == RULES_NONE:
            fail("REKINDLE_RULES is none, so there are no campaigns whose triggers could be answered")
        simulator = Simulator(settings, office)
        STDERR.print(
            "a simulator: nothing is sent to anybody, and every report is made up; Ctrl-C ends it", soft_wrap=True
        )
        simulator.run(stop)
    counts = ", ".join(f"{what} {count:,}" for what, count in sorted(office.counts.items()))
    typer.echo(f"{simulator.reported:,} made-up reports; {counts or 'no triggers'}")
    if simulator.unreadable:
        typer.echo(f"- records that are no triggers: {simulator.unreadable:,}")
