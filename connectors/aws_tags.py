"""Tags of resources whose listing does not tell them.

The tagging API tells the tags of everything of a kind in a region in pages; what it does not name has none.
Where it refuses, each resource is asked by itself, until that is refused too: then tags are not known. Where
one call tells the tags of many resources, that is asked alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudtop.errors import CloudError, Forbidden, NotFound
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.aws_rows import tags
from connectors.base import PASSING

if TYPE_CHECKING:
    from connectors.aws_base import Amazon

Tags = dict[str, str]
PAGE = 100
REFUSALS = 3
"""After so many in a region nobody asks there any more: one resource may be closed by itself."""


def part(arn: str) -> str:
    """What an ARN calls a resource within its region and account: `function:orders`."""
    return arn.split(":", 5)[-1]


class Tagging:
    """The tags of one listing's resources, looked up while it is read.

    `few` is the call for at most `together` of them: their tags in the same order. `kind` is the tagging
    API's name of them, and `key` what their ARN ends in; without a kind that API is not asked.
    """

    def __init__(
        self,
        few: Callable[[Sequence[Resource]], Awaitable[list[Tags]]],
        kind: str | None = None,
        key: Callable[[Resource], str] = lambda one: one.id,
        together: int = 1,
    ) -> None:
        self._few, self._kind, self._key, self._together = few, kind, key, together
        self._regions: dict[str, Mapping[str, Tags] | None] = {}
        self._refusals: Counter[str] = Counter()

    async def of(self, cloud: Amazon, scope: Scope, rows: Sequence[Resource]) -> list[Tags | None]:
        """The tags of each row, None where they are not known."""
        places = [one.region or cloud.place(scope) for one in rows]
        if self._kind:
            new = sorted(set(places) - self._regions.keys())
            told = await cloud.each(new, lambda region: self._of_region(cloud, scope, region))
            self._regions.update(zip(new, told, strict=True))
        found: dict[str, Tags | None] = {}
        left = []
        for one, place in zip(rows, places, strict=True):
            known = self._regions.get(place)
            if known is None:
                left.append(one)
            else:
                found[one.id] = known.get(self._key(one), {})
        groups = [left[at : at + self._together] for at in range(0, len(left), self._together)]
        for several in await cloud.each(groups, lambda group: self._of_few(cloud, scope, group)):
            found.update(several)
        return [found.get(one.id) for one in rows]

    async def _of_few(self, cloud: Amazon, scope: Scope, group: Sequence[Resource]) -> dict[str, Tags]:
        """The tags of a few resources by their ids; none of them where that was refused too often."""
        region = group[0].region or cloud.place(scope)
        if self._refusals[region] >= REFUSALS:
            return {}
        try:
            return dict(zip([one.id for one in group], await self._few(group), strict=True))
        except PASSING:
            raise
        except NotFound:
            return {one.id: {} for one in group}
        except CloudError as error:
            self._refusals[region] += isinstance(error, Forbidden)
            cloud.note_once(scope, f"Some tags are not known. {error.message}", error, group[0].region)
            return {}

    async def _of_region(self, cloud: Amazon, scope: Scope, region: str) -> Mapping[str, Tags] | None:
        """The tags of everything of the kind in a region; None where the tagging API refuses."""
        from connectors.aws_base import EXTRA_RETRIES

        def read(page: Any) -> dict[str, Tags]:
            listed = cloud.records(page, "ResourceTagMappingList")
            return {part(one["ResourceARN"]): tags(one) for one in listed if one.get("ResourceARN")}

        known: dict[str, Tags] = {}
        pages = cloud.boto.pages(
            "resourcegroupstaggingapi",
            "get_resources",
            region=region,
            account=scope.account,
            read=read,
            size=PAGE,
            retries=EXTRA_RETRIES,
            ResourceTypeFilters=[self._kind],
        )
        try:
            async for page in pages:
                known |= page
        except PASSING:
            raise
        except CloudError:
            return None
        return known
