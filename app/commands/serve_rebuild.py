"""`rekindle serve rebuild`."""

import typer

from app.commands.console import bar, mistakes


def rebuild() -> None:
    """Have the workers write all users into Redis anew, from their rows; wait until they have.

    Readers go on with what is there, and are told that it is not whole. Workers do so by themselves where Redis comes
    back empty, and where a partition changes hands.
    """
    import asyncio

    from app.read_model import asked
    from app.settings import load

    with mistakes(asked.RebuildError), bar("Writing users") as progress:
        settings = load()
        asyncio.run(asked.rebuild(settings.redis_connection, settings.app_id, settings.partitions, progress))
    typer.echo(f"all {settings.partitions} partitions are whole")
