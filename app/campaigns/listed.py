"""The campaigns of the rules in force, and what was told them by hand."""

import asyncio
from collections.abc import Iterable, Mapping

from msgspec import Struct, json

from agents.recall.campaign import Campaign, On
from app.campaigns.control import Standing
from app.live.status import RunStatus, Summary
from app.read_model.read_model import ReadModel
from app.settings import Settings
from schemas.control import Run
from schemas.times import Millis, format_span


class ListedRun(Struct, kw_only=True, frozen=True):
    """A run, and how far it is: null where Redis, or the partitions, do not know.

    `users`: decided about so far, at least; `left`: those who have yet to get their turn.
    """

    id: str
    at: Millis
    pace: float | None
    users: int | None = None
    left: int | None = None
    over: bool | None = None


class Listed(Struct, kw_only=True, frozen=True):
    """A campaign. `paused_at`: by hand, ms. `in_force`: false for one that was told something, and left the file."""

    name: str
    on: str | None
    channels: list[str]
    mode: str | None
    paused_at: Millis | None
    runs: list[ListedRun]
    in_force: bool = True


def progress(settings: Settings) -> Mapping[str, RunStatus] | None:
    """How far runs are, by id, as the workers last told; None where Redis does not answer."""
    summary = asyncio.run(_summary(settings))
    return {run.id: run for run in summary.runs} if summary.store else None


async def _summary(settings: Settings) -> Summary:
    model = ReadModel(settings.redis_connection, settings.app_id, tuple)
    try:
        return await model.summary()
    finally:
        await model.close()


def listed(
    campaigns: Iterable[Campaign], standing: Standing, known: Mapping[str, RunStatus], partitions: int
) -> list[Listed]:
    """All campaigns by name, each with its runs, the newest last."""
    runs: dict[str, list[ListedRun]] = {}
    for run in standing.runs.values():
        runs.setdefault(run.campaign, []).append(_run(run, known.get(run.id), partitions))
    found = {each.name: _listed(each, standing, runs.get(each.name, [])) for each in campaigns}
    for name in (standing.paused.keys() | runs.keys()) - found.keys():
        found[name] = Listed(
            name=name, on=None, channels=[], mode=None, paused_at=standing.paused.get(name),
            runs=runs.get(name, []), in_force=False,
        )  # fmt: skip
    return [found[name] for name in sorted(found)]


def _listed(campaign: Campaign, standing: Standing, runs: list[ListedRun]) -> Listed:
    return Listed(
        name=campaign.name,
        on=None if campaign.on is None else _on(campaign.on),
        channels=[channel.name for channel in campaign.channels],
        mode=campaign.mode,
        paused_at=standing.paused.get(campaign.name),
        runs=runs,
    )


def _on(on: On) -> str:
    to = "any value" if on.to is None else json.encode(on.to).decode()
    return f"{on.tag} to {to}" + (f", after {format_span(on.after_ms)}" if on.after_ms else "")


def _run(run: Run, status: RunStatus | None, partitions: int) -> ListedRun:
    if status is None:
        return ListedRun(id=run.id, at=run.at, pace=run.pace)
    is_over = status.over == partitions
    return ListedRun(id=run.id, at=run.at, pace=run.pace, users=status.users, left=status.left, over=is_over)
