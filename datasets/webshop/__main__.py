"""`python -m datasets.webshop [DIRECTORY]` writes agents.jsonl, agents.csv and shop.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from placement.amounts import thousandths
from placement.attributes import Attribute
from placement.cluster import Agent, Cluster, Disk, Reservation
from placement.snapshots import write_cluster

MOMENT = 1_767_225_600.0
"""2026-01-01T00:00:00Z: the maintenance windows are long over, or far away, whenever the demo runs."""
RACKS, PER_RACK = 5, 12


def agents() -> list[Agent]:
    """Five racks of twelve: two public agents each, disks in some, a gpu agent in two, reserved cpus in one."""
    return [agent(rack, place) for rack in range(1, RACKS + 1) for place in range(1, PER_RACK + 1)]


def agent(rack: int, place: int) -> Agent:
    """One agent; its place in the rack decides what it is."""
    public = place <= 2
    large = place >= 9
    cpus, mem = (8, 16_384) if public else (32, 131_072) if large else (16, 65_536)
    busy = (rack * 7 + place * 3) % 4  # eighths in use by others
    free = {
        "cpus": thousandths(cpus) * (8 - busy) // 8,
        "mem": thousandths(mem) * (8 - busy) // 8,
        "disk": thousandths(200_000),
    }
    total = {"cpus": thousandths(cpus), "mem": thousandths(mem), "disk": thousandths(200_000)}
    if place == 12 and rack in (2, 4):
        free["gpus"] = total["gpus"] = thousandths(2)
    reservations: tuple[Reservation, ...] = ()
    if rack == 1 and place in (7, 8):
        reservations = (Reservation(role="shop", amounts={"cpus": thousandths(4), "mem": thousandths(8192)}),)
        total |= {"cpus": total["cpus"] + thousandths(4), "mem": total["mem"] + thousandths(8192)}
    disks: tuple[Disk, ...] = ()
    if place in (9, 10):
        disks = (Disk(kind="mount", path=f"/dcos/volume{place}", size=thousandths(400_000)),)
    elif place == 11:
        disks = (Disk(kind="path", path="/data", size=thousandths(800_000)),)
    away = rack == 5 and place == 6
    return Agent(
        id=f"agent-{rack}{place:02d}",
        hostname=f"node{place:02d}.rack{rack}.shop.example",
        free=free,
        total=total,
        ports=((80, 80), (443, 443), (31000, 32000)) if public else ((31000, 32000),),
        attributes=(
            ("rack", Attribute("text", f"rack-{rack}")),
            ("type", Attribute("text", "public_node" if public else "private")),
            ("ssd", Attribute("text", "yes" if large else "no")),
            ("hall", Attribute("text", f"hall-{1 + rack % 2}")),
        ),
        reservations=reservations,
        disks=disks,
        unavailable_from=MOMENT if away else None,
    )


def shop() -> dict[str, Any]:
    """The group /shop: edge, services and stores, in four layers."""
    return {
        "id": "/shop",
        "groups": [
            {
                "id": "store",
                "apps": [
                    store("orders-db", 3, 4, 16384, 300_000, "mount"),
                    store("catalog-db", 3, 2, 8192, 100_000, "path"),
                    app("cache", 6, 1, 8192, [["rack", "MAX_PER", "2"], ["hostname", "UNIQUE"]]),
                ],
            },
            {
                "id": "service",
                "dependencies": ["/shop/store"],
                "apps": [
                    app("orders", 10, 2, 4096, [["rack", "GROUP_BY"]]),
                    app("catalog", 10, 2, 4096, [["rack", "GROUP_BY", "5"]]),
                    app("payment", 4, 1, 2048, [["rack", "MAX_PER", "3"], ["hostname", "UNIQUE"]]),
                    app("mail", 2, 0.5, 512, [["hall", "UNIQUE"]]),
                    app("recommend", 2, 4, 16384, [["ssd", "IS", "yes"]],
                        labels={"placement.constraints": "rack:AFFINITY:/shop/store/catalog-db"}),
                ],
            },
        ],
        "apps": [
            app("web", 12, 2, 4096, [["rack", "GROUP_BY"]], dependencies=["service"], ports=2),
            edge("balancer", 5, ["/shop/web"]),
            app("reports", 1, 24, 65536, [["ssd", "LIKE", "y.*"]], dependencies=["store/orders-db"]),
            app("search", 8, 4, 24576, [["rack", "LIKE", "rack-[12]"], ["ssd", "IS", "yes"], ["hostname", "UNIQUE"]],
                dependencies=["service/catalog"]),
        ],
    }  # fmt: skip


def app(
    name: str, instances: int, cpus: float, mem: int, constraints: list[list[str]], *, ports: int = 1, **more: Any
) -> dict[str, Any]:
    """A stateless app."""
    return {
        "id": name,
        "cmd": f"./{name}",
        "instances": instances,
        "cpus": cpus,
        "mem": mem,
        "constraints": constraints,
        "portDefinitions": [{"port": 0, "name": f"p{i}"} for i in range(ports)],
        **more,
    }


def store(name: str, instances: int, cpus: float, mem: int, size: int, kind: str) -> dict[str, Any]:
    """A store: each instance on another host and rack, with a persistent volume."""
    return {
        "id": name,
        "cmd": f"./{name}",
        "instances": instances,
        "cpus": cpus,
        "mem": mem,
        "role": "shop",
        "constraints": [["hostname", "UNIQUE"], ["rack", "UNIQUE"]],
        "portDefinitions": [{"port": 0, "name": "client"}],
        "container": {
            "type": "MESOS",
            "volumes": [{"containerPath": "data", "mode": "RW", "persistent": {"size": size, "type": kind}}],
        },
        "unreachableStrategy": "disabled",
        "upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0},
    }


def edge(name: str, instances: int, dependencies: list[str]) -> dict[str, Any]:
    """The balancer: fixed ports, on public agents, one a rack."""
    return {
        "id": name,
        "cmd": f"./{name}",
        "instances": instances,
        "cpus": 1,
        "mem": 1024,
        "requirePorts": True,
        "portDefinitions": [{"port": 80, "name": "http"}, {"port": 443, "name": "https"}],
        "constraints": [["type", "CLUSTER", "public_node"], ["rack", "UNIQUE"]],
        "dependencies": dependencies,
    }


def main(directory: Path) -> None:
    cluster = Cluster.build(agents())
    write_cluster(cluster, directory / "agents.jsonl", format="jsonlines")
    write_cluster(cluster, directory / "agents.csv", format="csv", lossy=True)
    (directory / "shop.json").write_text(json.dumps(shop(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
