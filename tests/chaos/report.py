"""What campaigns did and found, for people: in the terminal, and as Markdown."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from tests.chaos.campaign import Report


def table(report: Report) -> Table:
    """The findings of one campaign."""
    shown = Table("law", "", "counted", title=f"seed {report.seed}: {len(report.done)} faults, {report.seconds:.0f} s")
    for finding in report.findings:
        shown.add_row(finding.law, "holds" if finding.holds else "BROKEN", finding.counted)
    return shown


def written(reports: Sequence[Report]) -> str:
    """All campaigns as Markdown: the findings side by side, then what each did."""
    return "\n".join(line for part in (_findings(reports), *map(_faults, reports)) for line in part) + "\n"


def _findings(reports: Sequence[Report]) -> Iterator[str]:
    yield "| law | " + " | ".join(f"seed {report.seed}" for report in reports) + " |"
    yield "| --- |" + " --- |" * len(reports)
    for row in zip(*(report.findings for report in reports), strict=True):
        cells = [finding.counted if finding.holds else f"**broken**: {finding.counted}" for finding in row]
        yield f"| {row[0].law} | " + " | ".join(cells) + " |"
    yield "| faults | " + " | ".join(str(len(report.done)) for report in reports) + " |"
    yield "| ended by itself | " + " | ".join(str(len(report.notes)) for report in reports) + " |"
    waits = [[done.recovered_s for done in report.done if done.recovered_s is not None] for report in reports]
    yield "| slowest recovery | " + " | ".join(f"{max(each, default=0):.1f} s" for each in waits) + " |"
    yield "| took | " + " | ".join(f"{report.seconds:.0f} s" for report in reports) + " |"


def _faults(report: Report) -> Iterator[str]:
    yield f"\n### Seed {report.seed}\n"
    yield "| at | fault | what | every partition wrote again after |"
    yield "| --- | --- | --- | --- |"
    for done in report.done:
        recovered = "not waited for" if done.recovered_s is None else f"{done.recovered_s:.1f} s"
        yield f"| {done.at_s:.0f} s | {done.fault.kind} | {done.what} | {recovered} |"
    for note in report.notes:
        yield f"\n- {note}"
