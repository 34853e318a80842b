"""Events whose data needs no second look: checked against the catalog and written canonically in one go.

Made from the catalog's schemas, only where that is provably the same as checking the schema and writing RFC 8785. What does
not fit here is not refused: the slow way judges it and finds the words.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from openproctor.catalog import CATALOG, EventType

_EXACT = 2**53 - 1
# the server looks for what these name before it takes the event
_REFERS = frozenset({"evidence_id", "evidence_ids"})
_encode = msgspec.json.Encoder().encode

# from an event's data as it came to its canonical form; ``MsgspecError`` for what does not fit
Plain = Callable[[msgspec.Raw], bytes]


def _member(schema: dict[str, Any]) -> Any:
    """The type that takes a part of what a schema of one member takes, or None if there is none."""
    rest = {name: value for name, value in schema.items() if name not in ("type", "description")}
    match schema.get("type"):
        case "integer" if rest.keys() <= {"minimum"}:
            return Annotated[int, msgspec.Meta(ge=max(rest.get("minimum", -_EXACT), -_EXACT), le=_EXACT)]
        case "number" if not rest:
            # a whole number; how fractions are written differs too much
            return Annotated[int, msgspec.Meta(ge=-_EXACT, le=_EXACT)]
        case "boolean" if not rest:
            return bool
        case "string" if rest.keys() == {"enum"}:
            return Literal[tuple(rest["enum"])]
        case "string" if rest.keys() <= {"maxLength"}:
            return Annotated[str, msgspec.Meta(max_length=rest.get("maxLength"))]
        case "array" if rest.keys() == {"items", "maxItems"}:
            item = _member(rest["items"])
            return None if item is None else Annotated[list[item], msgspec.Meta(max_length=rest["maxItems"])]  # type: ignore[valid-type]
    return None


def plain_form(kind: EventType) -> Plain | None:
    """How to read and write the data of a type in one go; None where the slow way is needed."""
    schema = kind.schema
    members: dict[str, Any] = schema.get("properties", {})
    known = {"type", "properties", "required", "additionalProperties"}
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False or schema.keys() - known:
        return None
    types = {name: _member(member) for name, member in members.items()}
    if None in types.values() or _REFERS & types.keys() or not all(name.isascii() for name in types):
        return None
    required = schema.get("required", ())
    fields: list[Any] = []
    # RFC 8785 orders members by their names, msgspec writes them as they were declared
    for number, name in enumerate(sorted(types)):
        taken = types[name]
        fields.append(
            (f"m{number}", taken) if name in required else (f"m{number}", taken | msgspec.UnsetType, msgspec.UNSET)
        )
    form = msgspec.defstruct(
        f"Data{kind.id}",
        fields,
        rename=dict(zip((field[0] for field in fields), sorted(types), strict=True)),
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )
    decode = msgspec.json.Decoder(form).decode
    return lambda raw: _encode(decode(raw))


# {type id: how}, of the types that a page may say
PLAIN: dict[int, Plain] = {
    kind.id: form
    for kind in CATALOG.types.values()
    if "candidate" in kind.sources and (form := plain_form(kind)) is not None
}
