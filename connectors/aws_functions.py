"""Lambda functions.

Lambda tells when a function was last changed, never when it was made, and its listing says nothing of a state
while all is well. Its tags are asked for apart. Source: the API model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cloudtop.inventory import Resource
from cloudtop.models import Scope
from cloudtop.units import positive
from connectors.aws_base import Amazon
from connectors.aws_rows import joined, moment, raw, tags
from connectors.aws_tags import Tagging, Tags
from connectors.rows import Record, inner, told

FUNCTION_STATES = {
    "Active": "available",
    "Inactive": "available",
    "ActiveNonInvocable": "failed",
    "Pending": "starting",
    "Deactivating": "stopping",
    "Deleting": "stopping",
    "Failed": "failed",
}


class Functions(Amazon):
    """What runs when it is called."""

    async def functions(self, scope: Scope) -> AsyncIterator[list[Resource]]:
        """Lambda functions."""

        async def single(rows: Sequence[Resource]) -> list[Tags]:
            arn = rows[0].details.get("arn")
            return [tags(await self.call(scope, "lambda", "list_tags", Resource=arn))]

        tagging = Tagging(single, "lambda:function", lambda one: f"function:{one.id}")
        async for page in self.listed(
            scope, "lambda", "list_functions", "Functions", function, "function", tagging=tagging
        ):
            yield page


def function(one: Record) -> Resource | None:
    """One Lambda function."""
    if not one.get("FunctionName"):
        return None
    state, changed = one.get("State"), moment(one.get("LastModified"))
    broken = state == "Failed"
    stuck = one.get("LastUpdateStatus") == "Failed"
    return Resource(
        id=one["FunctionName"],
        type="function",
        name=one["FunctionName"],
        status="available" if state is None else FUNCTION_STATES.get(state, "unknown"),
        status_raw=state,
        updated_at=changed,
        last_modified=changed,
        runtime=one.get("Runtime"),
        memory_mb=positive(one.get("MemorySize")),
        timeout_s=positive(one.get("Timeout")),
        health="failing" if broken else "degraded" if stuck else None,
        health_message=joined(
            [
                broken and (one.get("StateReason") or "The function cannot be run"),
                stuck and (one.get("LastUpdateStatusReason") or "Its last update failed"),
            ]
        ),
        details=told(
            arn=one.get("FunctionArn"),
            handler=one.get("Handler"),
            package=one.get("PackageType"),
            architectures=list(one.get("Architectures") or ()),
            code_bytes=one.get("CodeSize"),
            role=one.get("Role"),
            vpc_id=inner(one, "VpcConfig", "VpcId"),
            subnet_id=next(iter(inner(one, "VpcConfig", "SubnetIds") or ()), None),
            ephemeral_storage_mb=inner(one, "EphemeralStorage", "Size"),
            description=one.get("Description"),
        ),
        raw=raw(one),
    )
