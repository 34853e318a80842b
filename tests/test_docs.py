"""The documentation says what the code does: every event, setting, command and endpoint, and no dead link."""

import re
from pathlib import Path

import pytest
import typer

from openproctor.catalog import CATALOG
from openproctor.cli import cli
from openproctor.config import Settings
from scripts.make_docs import DOCS, ROOT, commands, openapi, rendered

PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("path", sorted(rendered()), ids=lambda path: path.name)
def test_a_generated_page_is_as_the_code_would_have_it(path: Path) -> None:
    assert path.read_text("utf-8") == rendered()[path], f"docs/{path.name} is out of date: make docs"


def test_every_event_type_is_documented_by_id_and_name() -> None:
    text = page("events.md")
    assert [kind.name for kind in CATALOG.types.values() if f"| {kind.id} | {kind.name} |" not in text] == []


def test_every_setting_is_documented_with_words() -> None:
    text = page("configuration.md")
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"`OPENPROCTOR_{name.upper()}`" in text


def test_every_command_and_option_is_documented_with_words() -> None:
    text = page("commands.md")
    for words, command in commands(typer.main.get_command(cli), ("openproctor",)):
        assert " ".join(words) in text
        assert command.help, words
        for option in command.params:
            assert option.param_type_name == "argument" or option.help, (words, option.name)


def test_every_endpoint_is_documented() -> None:
    text = page("api.md")
    for path, methods in openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in text


def test_every_room_of_the_house_is_on_the_map() -> None:
    text = page("architecture.md")
    rooms = [path.parent.name for path in (ROOT / "src" / "openproctor").glob("*/__init__.py")]
    assert [room for room in rooms if f"`{room}/`" not in text] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    inside = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in inside if not (path.parent / target).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        current = waiting.pop()
        if current in seen or current.suffix != ".md":
            continue
        seen.add(current)
        targets = re.findall(r"\]\(([^)#\s:]+\.md)", current.read_text("utf-8"))
        waiting.extend((current.parent / target).resolve() for target in targets)
    assert [path.name for path in PAGES if path not in seen] == []
