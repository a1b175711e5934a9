"""Random agents for round trips."""

from hypothesis import strategies as st

from placement.attributes import Attribute, ranges_text, scalar_text, set_text
from placement.cluster import Agent, Disk, Reservation, Volume
from placement.running import STATES, RunningInstance

WORD = st.text("abcdefghij-_.", min_size=1, max_size=6).filter(lambda word: word.strip("-_.") != "")
AMOUNT = st.integers(0, 10**9)
AMOUNTS = st.dictionaries(st.sampled_from(["cpus", "mem", "disk", "gpus", "network"]), AMOUNT)
PORTS = st.lists(st.integers(0, 600), max_size=3, unique=True).map(
    lambda xs: tuple((100 * x, 100 * x + 9) for x in sorted(xs))
)
ATTRIBUTE = st.one_of(
    WORD.map(lambda word: Attribute("text", word)),
    st.sampled_from(["007", "{a", "1-2", "[x]", "a b", "ü", "=1"]).map(lambda word: Attribute("text", word)),
    st.integers(0, 10**6).map(lambda n: Attribute("scalar", scalar_text(n / 1000))),
    st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(lambda items: Attribute("set", set_text(items))),
    st.just(Attribute("ranges", ranges_text([(1, 2), (5, 6)]))),
)
MOMENT = st.integers(1_500_000_000, 1_900_000_000).map(float)

RESERVATIONS = st.lists(
    st.builds(
        Reservation,
        role=st.sampled_from(["dev", "prod"]),
        amounts=AMOUNTS.filter(bool),
        ports=PORTS,
        owner=st.sampled_from([None, "/db#0"]),
        labels=st.sampled_from([(), (("k", "v"),)]),
        principal=st.sampled_from([None, "p"]),
        dynamic=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda one: (one.role, one.owner, one.labels, one.principal, one.dynamic),
)
DISKS = st.lists(
    st.builds(
        Disk,
        kind=st.sampled_from(["path", "mount", "raw", "block"]),
        size=AMOUNT,
        path=st.sampled_from([None, "/p1", "/p2"]),
        profile=st.sampled_from([None, "fast"]),
        id=st.sampled_from([None, "d"]),
        role=st.sampled_from(["*", "prod"]),
    ),
    max_size=2,
)
VOLUMES = st.lists(
    st.builds(
        Volume,
        id=WORD,
        size=AMOUNT,
        role=st.just("prod"),
        owner=st.sampled_from([None, "/db#0"]),
        kind=st.sampled_from(["root", "path", "mount"]),
        path=st.just("/p1"),
        container_path=st.sampled_from([None, "data"]),
        principal=st.sampled_from([None, "p"]),
    ).map(lambda one: Volume(**{**_fields(one), "path": None if one.kind == "root" else one.path})),
    max_size=2,
)


def _fields(one):
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


@st.composite
def agents(draw, *, pooled=False):
    """A list of agents; `pooled`: only what a CSV snapshot holds."""
    ids = draw(st.lists(WORD, min_size=1, max_size=4, unique=True))
    priced = draw(st.booleans())
    found = []
    for name in ids:
        windowed = draw(st.booleans())
        attributes = draw(st.lists(st.tuples(st.sampled_from(["rack", "type", "zone"]), ATTRIBUTE), max_size=3,
                                   unique_by=lambda pair: pair[0] if pooled else id(pair)))  # fmt: skip
        found.append(
            Agent(
                id=name,
                hostname=draw(st.one_of(st.just(""), WORD)),
                free=draw(AMOUNTS),
                ports=draw(PORTS),
                attributes=tuple(attributes),
                region=draw(st.sampled_from([None, "r1"])),
                zone=draw(st.sampled_from([None, "z1"])),
                reservations=() if pooled else tuple(draw(RESERVATIONS)),
                disks=() if pooled else tuple(draw(DISKS)),
                volumes=() if pooled else tuple(draw(VOLUMES)),
                unavailable_from=draw(MOMENT) if windowed else None,
                unavailable_for=draw(st.sampled_from([None, 60.0])) if windowed else None,
                price=draw(AMOUNT) if priced else None,
            )
        )
    return found


@st.composite
def instances(draw, names):
    """Instances that run on some of the agents."""
    count = draw(st.integers(0, 3))
    return [
        RunningInstance(
            job="/app",
            instance=i,
            agent=draw(st.sampled_from(names)),
            state=draw(st.sampled_from(STATES)),
            version=draw(st.one_of(st.none(), MOMENT)),
            started_at=draw(st.one_of(st.none(), MOMENT)),
            healthy=draw(st.sampled_from([None, True, False])),
            volumes=draw(st.sampled_from([(), ("v1", "v2")])),
            units=draw(st.sampled_from([(), (("/p1", 500),)])),
            amounts=draw(st.one_of(st.none(), AMOUNTS)),
            role=draw(st.sampled_from([None, "prod"])),
        )
        for i in range(count)
    ]
