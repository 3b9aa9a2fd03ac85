"""Tags of resources whose listing does not tell them: all of a region at once, else one by one.

The tagging API tells the tags of everything of a kind in a region in pages; what it does not name has none.
Where it refuses, each resource is asked by itself, until that is refused too: then tags are not known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudtop.errors import CloudError, Forbidden, NotFound
from cloudtop.inventory import Resource
from cloudtop.models import Scope
from connectors.aws_rows import tags

if TYPE_CHECKING:
    from connectors.aws_base import Amazon

Tags = dict[str, str]
PAGE = 100


def part(arn: str) -> str:
    """What an ARN calls a resource within its region and account: `function:orders`."""
    return arn.split(":", 5)[-1]


class Tagging:
    """The tags of one listing's resources, looked up while it is read.

    `kind` is the tagging API's name of them, `key` what their ARN ends in, `single` the call for a few of
    them, at most `together` at once: their tags in the same order.
    """

    def __init__(
        self,
        kind: str,
        key: Callable[[Resource], str],
        single: Callable[[Sequence[Resource]], Awaitable[list[Tags]]],
        together: int = 1,
    ) -> None:
        self._kind, self._key, self._single, self._together = kind, key, single, together
        self._regions: dict[str, Mapping[str, Tags] | None] = {}
        self._refused = False

    async def of(self, cloud: Amazon, scope: Scope, rows: Sequence[Resource]) -> list[Tags | None]:
        """The tags of each row, None where they are not known."""
        from connectors.aws_base import PASSING

        new = {one.region or cloud.place(scope) for one in rows} - self._regions.keys()
        self._regions.update(zip(new, await cloud.each(new, self._asker(cloud, scope)), strict=True))
        found: dict[str, Tags | None] = {}
        left = []
        for one in rows:
            known = self._regions[one.region or cloud.place(scope)]
            if known is None:
                left.append(one)
            else:
                found[one.id] = known.get(self._key(one), {})
        groups = [left[at : at + self._together] for at in range(0, len(left), self._together)]

        async def few(group: Sequence[Resource]) -> None:
            if self._refused:
                return
            try:
                found.update(zip([one.id for one in group], await self._single(group), strict=True))
            except PASSING:
                raise
            except NotFound:
                found.update((one.id, {}) for one in group)
            except CloudError as error:
                self._refused = self._refused or isinstance(error, Forbidden)
                cloud.note_once(scope, f"Some tags are not known. {error.message}", error)

        await cloud.each(groups, few)
        return [found.get(one.id) for one in rows]

    def _asker(self, cloud: Amazon, scope: Scope) -> Callable[[str], Awaitable[Mapping[str, Tags] | None]]:
        from connectors.aws_base import EXTRA_RETRIES, PASSING

        def read(page: Any) -> dict[str, Tags]:
            listed = cloud.records(page, "ResourceTagMappingList")
            return {part(one["ResourceARN"]): tags(one) for one in listed if one.get("ResourceARN")}

        async def ask(region: str) -> Mapping[str, Tags] | None:
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

        return ask
