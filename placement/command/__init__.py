"""The command line: `placement place | verify | explain | capacity | eligible | describe | convert`.

One file a command; what they share is in `options` (arguments, reading) and `render` (tables). Data goes to standard
output, messages to standard error. Exit codes: 0 all placed / holds, 1 not all placed / does not hold, 2 bad input.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from placement.command.capacity import capacity
from placement.command.convert import convert
from placement.command.describe import describe
from placement.command.eligible import eligible
from placement.command.explain import explain
from placement.command.options import run_app
from placement.command.place import place
from placement.command.verify import verify

app = typer.Typer(
    name="placement",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Decide which instance runs on which agent, for the whole cluster at once, and say why and how well.",
    epilog="Example: `placement place datasets/webshop/agents.jsonl datasets/webshop/shop.json`",
)
EXAMPLES: dict[Callable[..., None], str] = {
    place: "place datasets/webshop/agents.jsonl datasets/webshop/shop.json --deadline 5s -o placements.csv",
    verify: "verify datasets/webshop/agents.jsonl datasets/webshop/shop.json datasets/webshop/placements.csv",
    explain: "explain datasets/webshop/agents.jsonl datasets/webshop/shop.json --job /shop/search",
    capacity: "capacity datasets/webshop/agents.jsonl datasets/webshop/shop.json "
    "--types datasets/webshop/types.csv --deadline 8s",
    eligible: "eligible datasets/webshop/agents.jsonl datasets/webshop/shop.json --job /shop/web",
    describe: "describe datasets/webshop/shop.json",
    convert: "convert datasets/webshop/agents.csv agents.jsonl",
}
"""The commands, each with an example that runs on bundled data."""

for command, example in EXAMPLES.items():
    app.command(epilog=f"Example: `placement {example}`")(command)


def main() -> None:
    """Run the command line."""
    run_app(app)
