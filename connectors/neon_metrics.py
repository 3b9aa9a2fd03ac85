"""What Neon measures: sizes, counters of the billing period, and what was consumed by the hour or day.

A counter is a field of a record, of which only now is known: it is one point, and none where the question's
time is over. Consumption is kept for 168 hours by the hour and for 60 days by the day, on a paid plan; an
organization on another is told of with the reason. An hour or day that is not over is left out. Asking
wakes no compute. Source: the Neon API v2, consumption_history/v2.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudtop import metrics as known
from cloudtop.errors import Forbidden, NotFound
from cloudtop.inventory import MetricQuery, Series, Target
from cloudtop.models import Scope, iso
from cloudtop.units import whole
from connectors.neon_base import Asking
from connectors.neon_rows import moment
from connectors.rows import Record, each, inner

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = (("hourly", HOUR, timedelta(hours=167)), ("daily", DAY, timedelta(days=59)))
"""How far apart the points are, and how far back they may be asked for: a step less than is kept."""
PROJECTS = 100
"""Projects that one question may be about."""
LISTS = {"project": ("projects", 100), "branch": ("branches", 1_000)}
"""What the records of an answer are called, and how many fit into it."""
FRESH = timedelta(hours=1)
"""Until so long after its end a question's time counts as now."""
PAID = "a history of consumption takes a paid plan (Launch, Scale, Agent, Business, Enterprise)"

Consumed = Mapping[str, Sequence[str]]
"""By metric: the names under which Neon adds it up."""


@dataclass(slots=True)
class Question:
    """What was consumed by some resources of one organization."""

    type: str
    organization: str
    projects: tuple[str, ...]
    told: Consumed
    granularity: str
    step: timedelta
    start: datetime
    end: datetime
    points: dict[tuple[str, str], dict[datetime, float]] = field(default_factory=dict)

    def keep(self, one: Record) -> None:
        """Take what is told of one resource."""
        identity = str(one.get(f"{self.type}_id"))
        for period in each(one, "periods"):
            for frame in each(period, "consumption"):
                began, ended = moment(frame.get("timeframe_start")), moment(frame.get("timeframe_end"))
                if began is None or ended is None or ended > self.end or ended <= began:
                    continue
                sums = {
                    str(value.get("metric_name")): whole(value.get("value"))
                    for value in each(frame, "metrics")
                }
                for metric, names in self.told.items():
                    parts = [sums[name] for name in names if sums.get(name) is not None]
                    if parts:
                        value = float(sum(part for part in parts if part is not None))
                        self._add(identity, metric, began, value, (ended - began).total_seconds())

    def _add(self, identity: str, metric: str, began: datetime, value: float, length_s: float) -> None:
        """A frame may be cut where a billing period ends: its parts are one point."""
        if known.metrics()[metric].unit.endswith("per second"):
            value /= max(length_s, self.step.total_seconds())
        points = self.points.setdefault((identity, metric), {})
        at = datetime.fromtimestamp(
            began.timestamp() // self.step.total_seconds() * self.step.total_seconds(), UTC
        )
        points[at] = points.get(at, 0.0) + value


class Metrics(Asking):
    """What Neon tells of projects and branches over time."""

    async def metrics(self, scope: Scope, wanted: MetricQuery) -> AsyncIterator[list[Series]]:
        """Series of these metrics of these resources; those without any point are left out."""
        facts = self.facts.metrics.get(wanted.type, {})
        counters = {
            name: about["counter"] for name in wanted.metrics if "counter" in (about := facts.get(name, {}))
        }
        consumed = {
            name: about["consumed"] for name in wanted.metrics if "consumed" in (about := facts.get(name, {}))
        }
        if counters:
            yield await self._now(scope, wanted, counters)
        for question in self._questions(wanted, consumed) if consumed else ():
            yield await self._consumed(scope, question, wanted)

    async def _now(self, scope: Scope, wanted: MetricQuery, counters: Mapping[str, str]) -> list[Series]:
        """The counters of records, as they are read."""
        now = self.now().replace(second=0, microsecond=0)
        if wanted.end < now - FRESH:
            message = (
                f"{self.facts.title} tells sizes and counters as they are now, not of a time that is over."
            )
            self.note(scope, message, "Ask without a time.", "not_covered")
            return []
        at = max(wanted.start, min(now, wanted.end) - timedelta(minutes=1))
        return [
            Series(str(one["id"]), metric, ((at, float(value)),))
            for one in await self._records(scope, wanted)
            for metric, name in counters.items()
            if (value := whole(one.get(name))) is not None
        ]

    async def _records(self, scope: Scope, wanted: MetricQuery) -> list[Record]:
        """The records of the resources that are meant; that none of them is there is an error."""
        ids = {one.id for one in wanted.targets}
        if wanted.type == "project":
            found = await self.each(sorted(ids), lambda one: self.project(scope, one))
        else:
            lists = await self.each(projects_of(wanted.targets), lambda one: self.branches_of(scope, one))
            found = [one for some in lists for one in some]
        there = [one for one in found if one is not None and one.get("id") in ids]
        if ids and not there:
            raise NotFound(f"{self.facts.title} has none of these any more.", "List them anew.")
        return there

    def _questions(self, wanted: MetricQuery, told: Consumed) -> Iterator[Question]:
        """The questions that are needed: one organization each, and at most a hundred projects."""
        granularity, step, reach = self._step(wanted)
        start = max(min(wanted.start, wanted.end - 2 * step), self.now() - reach)
        owners: dict[str, list[Target]] = {}
        for one in wanted.targets:
            if organization := one.details.get("organization"):
                owners.setdefault(str(organization), []).append(one)
        for organization, targets in owners.items():
            projects = projects_of(targets) if wanted.type == "branch" else [one.id for one in targets]
            for at in range(0, len(projects), PROJECTS):
                some = tuple(projects[at : at + PROJECTS])
                yield Question(wanted.type, organization, some, told, granularity, step, start, wanted.end)

    def _step(self, wanted: MetricQuery) -> tuple[str, timedelta, timedelta]:
        """By the hour where that is kept and not wanted by the day."""
        hourly, daily = STEPS
        far = wanted.start < self.now() - hourly[2]
        return daily if far or wanted.step_s >= DAY.total_seconds() else hourly

    async def _consumed(self, scope: Scope, question: Question, wanted: MetricQuery) -> list[Series]:
        try:
            await self._read(scope, question)
        except Forbidden as error:
            titles = ", ".join(known.metrics()[name].title for name in question.told)
            what = f"{titles[0].upper()}{titles[1:]} of {question.organization}"
            message = f"{what} is not available here, because {PAID}."
            self.note(scope, message, error.message, "not_covered")
            return []
        ids = {one.id for one in wanted.targets}
        return [
            Series(identity, metric, points)
            for (identity, metric), found in question.points.items()
            if identity in ids and (points := within(found, wanted, question.step))
        ]

    async def _read(self, scope: Scope, question: Question) -> None:
        name, size = LISTS[question.type]
        about = {
            "from": iso(question.start),
            "to": iso(question.end),
            "granularity": question.granularity,
            "org_id": question.organization,
            "project_ids": ",".join(question.projects),
            "metrics": ",".join(dict.fromkeys(one for names in question.told.values() for one in names)),
            "limit": size,
        }

        async def ask(cursor: str | None) -> Any:
            path = f"/consumption_history/v2/{name}"
            return await self.call(scope, path, "read consumption", **about, cursor=cursor)

        def more(answer: Any) -> str | None:
            cursor = inner(answer, "pagination", "cursor")
            return str(cursor) if cursor and inner(answer, name) else None

        async for answer in self.paged(ask, more):
            for one in self.records(answer, name):
                question.keep(one)


def projects_of(targets: Sequence[Target]) -> list[str]:
    """The projects that branches are in, each once."""
    return list(dict.fromkeys(str(one.details["project"]) for one in targets if one.details.get("project")))


def within(
    found: Mapping[datetime, float], wanted: MetricQuery, step: timedelta
) -> tuple[tuple[datetime, float], ...]:
    """The points of the time that was asked for, at least the newest, the oldest first."""
    ordered = sorted(found.items())
    since = [point for point in ordered if point[0] > wanted.start - step]
    return tuple(since or ordered[-1:])
