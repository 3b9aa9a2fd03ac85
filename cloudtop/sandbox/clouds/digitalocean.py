"""DigitalOcean as a local server: its list of sizes, and the company's part of it.

Follows DigitalOcean's OpenAPI specification. The market is made up, in the units of the API: dollars an hour
for a whole droplet, memory in MB, video memory of all GPUs together in GiB. Stricter than the real one: an
unknown query parameter is refused, and a page is small whatever was asked, so that every listing has several.
In it are: a size in several regions, one in none, one that cannot be had, one without a price,
one that tells no GPU but in its slug, one whose memory is that of one GPU, sizes sold by contract only, a GPU
that nobody knows, and sizes without any.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cloudtop.sandbox.cloud import Cloud, State
from cloudtop.sandbox.digitalocean.server import LISTINGS, Ocean
from cloudtop.sandbox.digitalocean.spaces import Spaces
from cloudtop.sandbox.digitalocean.wire import accepted, answered, error, page

TOKEN = "sandbox-digitalocean-token"
LAB = "sandbox-digitalocean-lab-token"
ACCOUNTS = {
    # Whose key of Spaces it is shows, so that a fault can be kept to an account.
    name: {
        "api_key": token,
        "access_key_id": f"{token}-spaces",
        "secret_access_key": f"sandbox-spaces-secret-{name}",
    }
    for name, token in (("prod", TOKEN), ("sandbox", LAB))
}
PAGE = 6
"""The most that a page here holds; the real one takes up to 200."""

DROPLET = {"disk": 720, "transfer": 15.0}

# slug, description, GPU, GPUs, video memory of all in GiB, memory in MB, vCPUs, dollars an hour, regions
GPUS: tuple[tuple[str, str, str | None, int, int, int, int, float, tuple[str, ...]], ...] = (
    ("gpu-4000adax1-20gb", "RTX 4000 Ada GPU", "nvidia_rtx4000_ada", 1, 20, 32768, 8, 0.71, ("tor1", "nyc2")),
    ("gpu-6000adax1-48gb", "RTX 6000 Ada GPU", "nvidia_rtx6000_ada", 1, 48, 65536, 8, 1.49, ("tor1",)),
    ("gpu-l40sx1-48gb", "L40S GPU", "nvidia_l40s", 1, 48, 65536, 8, 1.53, ("tor1", "ams3")),
    # Said to be in a region, but not to be had.
    ("gpu-l40sx4-192gb", "L40S GPU - 4X", "nvidia_l40s", 4, 192, 262144, 32, 5.98, ("tor1",)),
    ("gpu-a100x1-80gb", "A100 GPU", "nvidia_a100", 1, 80, 122880, 12, 1.82, ("sfo3",)),
    ("gpu-a100x8-640gb", "A100 GPU - 8X", "nvidia_a100", 8, 640, 983040, 96, 14.32, ("sfo3", "fra1")),
    ("gpu-h100x1-80gb", "H100 GPU", "nvidia_h100", 1, 80, 245760, 20, 3.35, ("nyc2", "tor1", "ams3")),
    ("gpu-h100x8-640gb", "H100 GPU - 8X", "nvidia_h100", 8, 640, 1966080, 160, 23.84, ("nyc2", "tor1")),
    # Nothing but the slug tells the GPU of this one.
    ("gpu-h100x8-640gb-200", "H100 GPU - 8X (small disk)", None, 8, 640, 1966080, 160, 23.12, ("tor1",)),
    ("gpu-h100x8-640gb-contracted", "H100 GPU - 8X", "nvidia_h100", 8, 640, 1966080, 160, 15.6, ("nyc2",)),
    ("gpu-h200x1-141gb", "H200 GPU", "nvidia_h200", 1, 141, 245760, 24, 3.41, ("nyc2", "atl1")),
    # Offered nowhere, with a price all the same.
    ("gpu-h200x8-1128gb", "H200 GPU - 8X", "nvidia_h200", 8, 1128, 1966080, 192, 27.36, ()),
    ("gpu-mi300x1-192gb", "MI300X GPU", "amd_mi300x", 1, 192, 245760, 20, 1.97, ("atl1",)),
    ("gpu-mi300x8-1536gb", "MI300X GPU - 8X", "amd_mi300x", 8, 1536, 1966080, 160, 15.76, ("atl1",)),
    # No figure is told of this one, which as the other of its kind only the sales department sells.
    ("gpu-mi325x8-2048gb-contracted", "MI325X GPU - 8X", "amd_mi325x", 8, 2048, 1341440, 160, 0, ("atl1",)),
    # The memory of one GPU, where all others tell that of all.
    ("gpu-b300x8-2304gb", "B300 GPU - 8X", "nvidia_b300", 8, 288, 1966080, 192, 43.6, ("ric1",)),
    ("gpu-x9000x2-128gb", "X9000 GPU - 2X", "acme_x9000", 2, 128, 131072, 16, 2.5, ("blr1",)),
)
NOT_NOW = frozenset({"gpu-l40sx4-192gb"})

# slug, description, memory in MB, vCPUs, dollars an hour
CPUS = (
    ("s-1vcpu-1gb", "Basic", 1024, 1, 0.00893),
    ("c-4", "CPU-Optimized", 8192, 4, 0.125),
    ("g-8vcpu-32gb", "General Purpose", 32768, 8, 0.375),
)


def sizes() -> list[dict[str, Any]]:
    """The market as the API writes it; sizes without GPUs stand among the others."""
    made = [cpu_size(*row) for row in CPUS]
    made[1:1] = [gpu_size(*row) for row in GPUS]
    return made


def gpu_size(
    slug: str,
    description: str,
    model: str | None,
    count: int,
    vram: int,
    memory: int,
    vcpus: int,
    price: float,
    regions: tuple[str, ...],
) -> dict[str, Any]:
    """One size with GPUs."""
    size = cpu_size(slug, description, memory, vcpus, price)
    size |= {"regions": list(regions), "available": slug not in NOT_NOW}
    if model is not None:
        size["gpu_info"] = {"count": count, "vram": {"amount": vram, "unit": "gib"}, "model": model}
        size["disk_info"] = [{"type": "local", "size": {"amount": 720, "unit": "gib"}}]
    return size


def cpu_size(slug: str, description: str, memory: int, vcpus: int, price: float) -> dict[str, Any]:
    """One size without."""
    return {
        "slug": slug,
        "memory": memory,
        "vcpus": vcpus,
        **DROPLET,
        "price_monthly": round(price * 672, 2),
        "price_hourly": price,
        "regions": ["nyc1", "ams3", "sgp1"],
        "available": True,
        "description": description,
    }


def words(status: int, message: str) -> bytes:
    """The body of an error that the fault layer makes up, in DigitalOcean's form."""
    names = {401: "unauthorized", 403: "forbidden", 404: "not_found", 429: "too_many_requests"}
    return json.dumps({"id": names.get(status, "server_error"), "message": message}).encode()


async def _not_there(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return error(problem.status_code, "not_found", "The resource you requested could not be found.")


def app(state: State) -> Starlette:
    """The server."""
    tokens = {auth["api_key"]: name for name, auth in ACCOUNTS.items()}

    async def list_sizes(request: Request) -> Response:
        def answer() -> Any:
            accepted(request, tokens)
            return page(request, "sizes", sizes(), {"page", "per_page"}, PAGE)

        return answered(answer)

    ocean = Ocean(state, tokens)
    spaces = Spaces(ocean.fleet, ACCOUNTS)
    return Starlette(
        routes=[
            Route("/v2/sizes", list_sizes, methods=["GET"]),
            *ocean.routes(),
            Route("/spaces/{region}/", spaces.listing),
        ],
        exception_handlers={HTTPException: _not_there},
    )


CLOUD = Cloud(
    app=app,
    words=words,
    auth=ACCOUNTS["prod"],
    accounts=ACCOUNTS,
    records="sizes",
    more="links.pages.next",
    links=True,
    keys=("slug", "regions"),
    unpaged=("database", "namespace"),
    texts=("spaces",),
    listings={path: (about.key, "links.pages.next") for path, about in LISTINGS.items()}
    | {"/v2/monitoring/metrics": ("data.result", "")},
)
