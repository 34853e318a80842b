"""Writes the generated pages of docs/: events, settings, commands, endpoints. ``make docs`` runs it.

``rendered`` is pure, so that a test can compare its answer with what is committed.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MADE = "<!-- Made by `make docs`; changes belong into {source}. -->\n\n"
WIDE_STAKES = ("low", "medium", "high")


def events_page() -> str:
    """The event types by category, from the catalog's data file."""
    from openproctor.catalog import CATALOG, CATALOG_FILE

    raw = {entry["id"]: entry for entry in json.loads(CATALOG_FILE.read_text("utf-8"))["types"]}
    lines = [
        MADE.format(source="src/openproctor/catalog/events.json") + "# Event types\n",
        f"{len(raw)} types, catalog version {CATALOG.version}. The same list for programs: `GET /api/v1/catalog`.\n",
        "An event is a statement with evidence, not a verdict. *Source* says who may make it: the candidate's page, the "
        "server, the analysis of the recording, or a person. A page that claims an event of another source is refused. "
        "*Severity* is the default at an exam of low, medium and high stake; it orders what a reviewer sees first.\n",
    ]
    for category, title in CATALOG.categories.items():
        entries = [entry for entry in raw.values() if entry["category"] == category]
        if not entries:
            continue
        lines += [f"## {title}\n", "| id | name | source | severity | when | data |", "|---|---|---|---|---|---|"]
        lines += [_event_row(entry, raw) for entry in sorted(entries, key=lambda entry: int(entry["id"]))]
        lines.append("")
    return "\n".join(lines)


def _event_row(entry: dict[str, Any], raw: dict[int, dict[str, Any]]) -> str:
    levels = [entry["severity"][stake] for stake in WIDE_STAKES]
    severity = levels[0] if len(set(levels)) == 1 else " / ".join(levels)
    ends = "".join(f" Ends {raw[other]['name']} ({other})." for other in entry.get("ends", ()))
    confirmed = " The server confirms it." if entry.get("confirmed_by") else ""
    required = set(entry["data"].get("required", ()))
    fields = [f"`{name}`" + ("" if name in required else "?") for name in entry["data"].get("properties", {})]
    sources = ", ".join(entry["source"])
    description = f"{entry['description']}{confirmed}{ends}"
    return f"| {entry['id']} | {entry['name']} | {sources} | {severity} | {description} | {' '.join(fields)} |"


def configuration_page() -> str:
    """Every setting, from the settings class."""
    from openproctor.config import Settings

    lines = [
        MADE.format(source="src/openproctor/config.py") + "# Settings\n",
        "Set by environment variables; a few also by options of the command (see [commands](commands.md)). Nothing has to "
        "be set: the defaults make one machine work with no other server.\n",
        "| variable | default | what it sets |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `OPENPROCTOR_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command and option, from the command line's own help."""
    from openproctor.cli import cli

    lines = [MADE.format(source="src/openproctor/cli.py") + "# Commands\n"]
    for words, command in commands(typer.main.get_command(cli), ("openproctor",)):
        arguments = [p.name.upper() for p in command.params if p.param_type_name == "argument"]
        lines += [f"## `{' '.join([*words, *arguments])}`\n", (command.help or "").strip() + "\n"]
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        if options:
            lines += ["| option | default | what it does |", "|---|---|---|"]
            lines += [_option_row(option) for option in options]
            lines.append("")
    return "\n".join(lines)


def commands(group: Any, words: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    """Every command below a group of the command line, with the words that call it."""
    if not hasattr(group, "commands"):
        return [(words, group)]
    return [found for name, command in group.commands.items() for found in commands(command, (*words, name))]


def _option_row(option: Any) -> str:
    default = "" if option.default in (None, False) or option.required else f"`{option.default}`"
    name = "/".join([*option.opts, *option.secondary_opts])
    return f"| `{name}` | {default} | {option.help or ''}{' Required.' if option.required else ''} |"


def openapi() -> dict[str, Any]:
    """The description of the API as the server gives it out."""
    from openproctor.app import create_app
    from openproctor.config import Settings

    with tempfile.TemporaryDirectory() as folder:
        return dict(create_app(Settings(data_dir=Path(folder))).openapi())


def endpoints_table(description: dict[str, Any]) -> str:
    """Every endpoint with its one line, by tag."""
    rows = [
        (operation.get("tags", ["other"])[0], f"| `{method.upper()} {path}` | {_one_line(operation)} |")
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]
    lines = []
    for tag in dict.fromkeys(tag for tag, _ in rows):
        lines += [f"### {tag.capitalize()}\n", "| endpoint | what it does |", "|---|---|"]
        lines += [row for other, row in rows if other == tag]
        lines.append("")
    return "\n".join(lines)


def _one_line(operation: dict[str, Any]) -> str:
    words = operation.get("description") or operation.get("summary", "")
    return str(words).strip().partition("\n")[0]


def between(page: str, mark: str, text: str) -> str:
    """A page with the part between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced."""
    pattern = re.compile(rf"(<!-- {mark}[^>]* -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    replaced, count = pattern.subn(lambda found: found[1] + "\n" + text + "\n" + found[2], page)
    if count != 1:
        raise ValueError(f"expected one part named {mark}, found {count}")
    return replaced


def rendered() -> dict[Path, str]:
    """Every generated page as it should be, by its path."""
    description = openapi()
    api = DOCS / "api.md"
    return {
        DOCS / "events.md": events_page(),
        DOCS / "configuration.md": configuration_page(),
        DOCS / "commands.md": commands_page(),
        DOCS / "openapi.json": json.dumps(description, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        api: between(api.read_text("utf-8"), "endpoints", endpoints_table(description)),
    }


def main() -> int:
    """Write what changed."""
    for path, text in rendered().items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"• {path.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
