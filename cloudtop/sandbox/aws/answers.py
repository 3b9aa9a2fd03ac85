"""What moto lacks, answered here: permissions, prices by type, resources by their tags.

And where a bucket is: an answer that botocore's models have no shape for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cloudtop.sandbox.aws.seeds import arn, pairs
from cloudtop.sandbox.aws.wire import Call, Refusal
from cloudtop.sandbox.fleet import Fleet

PRICED_IN = ("us-east-1", "eu-central-1", "ap-south-1")
"""The only regions with an endpoint for prices."""
MOST_ACTIONS = 1000
ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*]+")
PUBLISHED = "2026-11-01T12:00:00Z"
PLAIN = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "capacitystatus": "Used",
    "preInstalledSw": "NA",
    "licenseModel": "No License required",
    "locationType": "AWS Region",
    "marketoption": "OnDemand",
    "servicecode": "AmazonEC2",
}
OTHERS = (
    ("W", 1.9, {"operatingSystem": "Windows", "licenseModel": "No License required"}),
    ("D", 1.1, {"tenancy": "Dedicated"}),
    ("R", 0.0, {"capacitystatus": "AllocatedCapacityReservation"}),
    ("S", 3.0, {"preInstalledSw": "SQL Web"}),
)
"""Other ways to pay for the same type, and by how much dearer they are."""


def allowed(fleet: Fleet, account: str, action: str) -> bool:
    """Whether an account's policy lets its key do something."""
    return not any(fnmatchcase(action, denied) for denied in fleet.accounts[account].get("denied", ()))


def principal(fleet: Fleet, account: str) -> str:
    """The ARN of the user whose key an account's is."""
    about = fleet.accounts[account]
    return f"arn:aws:iam::{about['number']}:user/{about['user']}"


def simulate_principal_policy(fleet: Fleet, call: Call) -> dict[str, Any]:
    """SimulatePrincipalPolicy: of each action whether the policy of the account's user allows it."""
    source, actions = call.arguments["PolicySourceArn"], call.arguments.get("ActionNames", [])
    if source != principal(fleet, call.account):
        raise Refusal("NoSuchEntity", f"The entity {source} cannot be found.", 404)
    wrong = next((one for one in actions if not ACTION.fullmatch(one)), None)
    if wrong is not None or not 0 < len(actions) <= MOST_ACTIONS:
        raise Refusal("InvalidInput", f"Invalid ActionNames: {wrong or len(actions)}")
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": "*",
            "EvalDecision": "allowed" if allowed(fleet, call.account, action) else "implicitDeny",
            "MatchedStatements": [],
            "MissingContextValues": [],
        }
        for action in actions
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def get_products(fleet: Fleet, call: Call) -> dict[str, Any]:
    """GetProducts of AmazonEC2: every product is a text of JSON."""
    asked = call.arguments
    if call.region not in PRICED_IN:
        raise Refusal("InvalidParameterException", f"There are no prices in {call.region}.")
    if asked.get("ServiceCode") != "AmazonEC2":
        raise Refusal("NotFoundException", f"{asked.get('ServiceCode')} was not found.")
    filters = asked.get("Filters", [])
    for one in filters:
        if one["Type"] != "TERM_MATCH":
            raise Refusal("InvalidParameterException", f"{one['Type']} is not known here.")
    found = [
        json.dumps(product)
        for product in _products(fleet)
        if all(product["product"]["attributes"].get(one["Field"]) == one["Value"] for one in filters)
    ]
    return {"FormatVersion": "aws_v1", "PriceList": found}


def _products(fleet: Fleet) -> Iterator[dict[str, Any]]:
    for kind, places in fleet.file["prices"].items():
        for region, usd in places.items():
            sku = "SBX" + re.sub(r"[^A-Z0-9]", "", f"{kind}{region}".upper())
            for letter, factor, more in (*OTHERS[:2], ("", 1.0, {}), *OTHERS[2:]):
                attributes = {"instanceType": kind, "regionCode": region, **PLAIN, **more}
                yield _product(sku + letter, attributes, usd * factor)


def _product(sku: str, attributes: Mapping[str, str], usd: float) -> dict[str, Any]:
    """One product with its on-demand term, as the price list has it."""
    term, rate = f"{sku}.JRTCXETTQM", f"{sku}.JRTCXETTQM.6YS6EN2CT7"
    dimension = {
        "unit": "Hrs",
        "rateCode": rate,
        "description": f"${usd:.4f} per {attributes['operatingSystem']} {attributes['instanceType']} hour",
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "pricePerUnit": {"USD": f"{usd:.10f}"},
    }
    on_demand = {
        "sku": sku,
        "offerTermCode": "JRTCXETTQM",
        "effectiveDate": "2026-11-01T00:00:00Z",
        "termAttributes": {},
        "priceDimensions": {rate: dimension},
    }
    return {
        "product": {"productFamily": "Compute Instance", "attributes": dict(attributes), "sku": sku},
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": {term: on_demand}},
        "version": "20261101120000",
        "publicationDate": PUBLISHED,
    }


def get_resources(fleet: Fleet, call: Call) -> dict[str, Any]:
    """GetResources of the tagging API: what bears a tag in this region, by its ARN."""
    asked = call.arguments
    kinds, wanted = asked.get("ResourceTypeFilters", []), asked.get("TagFilters", [])
    found = []
    for one in fleet.records:
        if (one.account, one.region) != (call.account, call.region) or not one.tags:
            continue
        name = arn(fleet, one, call.number)
        service, _, rest = name.split(":", 2)[2].partition(":")
        what = re.split(r"[:/]", rest.split(":", 2)[2])[0] if service != "s3" else ""
        tagged = all(
            wish["Key"] in one.tags and one.tags[wish["Key"]] in wish.get("Values", [one.tags[wish["Key"]]])
            for wish in wanted
        )
        if tagged and (not kinds or service in kinds or f"{service}:{what}" in kinds):
            found.append({"ResourceARN": name, "Tags": pairs(one.tags)})
    return {"ResourceTagMappingList": found}


def get_bucket_location(fleet: Fleet, call: Call) -> dict[str, Any]:
    """GetBucketLocation: nothing for a bucket in the oldest region."""
    name = call.arguments["Bucket"]
    found = next((one for one in fleet.of("buckets", call.account) if one.id == name), None)
    if found is None:
        raise Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
    return {"LocationConstraint": "" if found.region == "us-east-1" else found.region}
