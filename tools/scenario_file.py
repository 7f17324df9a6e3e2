"""Reading a scenario file: YAML to a checked Scenario, and where in the file a fault stands."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from wattledger.tools import places
from wattledger.tools.places import PlaceError
from wattledger.tools.scenario import Scenario
from wattledger.tools.scenario_parts import (
    BitErrors,
    Broker,
    Clock,
    Constant,
    Cut,
    Debt,
    Event,
    FieldError,
    House,
    Lasting,
    Random,
    Solar,
    Token,
)

_MODELS: dict[str, type[BaseModel]] = {
    "": Scenario,
    "house": House,
    "load": Constant,
    "pv": Solar,
    "events": Event,
    "cut": Cut,
    "weld": Lasting,
    "broker": Broker,
    "clock": Clock,
    "bit_errors": BitErrors,
    "random": Random,
    "debt": Debt,
    "token": Token,
}

# Steps pydantic adds to a place for the alternatives of a union.
_UNIONS = ("str", "int", "Constant", "dict[str,any]")


def load(path: str | Path) -> Scenario:
    """The scenario in a file; FileError or PlaceError (file:line:column) otherwise."""
    path = Path(path)
    text = places.decode(path, places.read(path))
    yaml = YAML(typ="rt", pure=True)
    try:
        found = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        why = " ".join(str(error.problem or error.context).split())
        raise PlaceError(path, line, column, f"is not YAML: {why}; mend it here") from None
    except YAMLError as error:
        raise PlaceError(path, 1, 1, f"is not YAML: {error}; mend it") from None
    except RecursionError:
        raise PlaceError(path, 1, 1, "is nested too deep; no scenario needs that") from None
    except (TypeError, ValueError) as error:  # a date that is none; a map in a key's place
        raise PlaceError(path, 1, 1, f"holds a value that cannot be: {error}; mend it") from None
    if not isinstance(found, CommentedMap):
        raise PlaceError(path, 1, 1, "is no scenario; wattledger sim --example prints one")
    try:
        scenario = Scenario.model_validate(_plain(found))
        scenario.settle(path.parent)
    except ValidationError as error:
        raise _placed(path, found, error) from None
    except FieldError as error:
        raise PlaceError(path, *_place(found, error.path), _said(error.path, str(error))) from None
    except ValueError as error:
        raise PlaceError(path, 1, 1, str(error)) from None
    return scenario


def _plain(node: Any) -> Any:
    """The document as plain dicts, lists and scalars."""
    if isinstance(node, dict):
        return {key if isinstance(key, str) else str(key): _plain(node[key]) for key in node}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    for kind in (bool, int, float, str):  # ruamel's scalars remember how they were written
        if isinstance(node, kind):
            return kind(node)
    return node


def _placed(path: Path, root: CommentedMap, error: ValidationError) -> PlaceError:
    """The first fault, worded for a person."""
    # An unknown key explains what is missing elsewhere, so it is told first.
    faults = sorted(
        error.errors(),
        key=lambda fault: (fault["type"] != "extra_forbidden", -len(fault["loc"])),
    )
    fault = faults[0]
    where = tuple(step for step in fault["loc"] if step not in _UNIONS)
    line, column = _place(root, where)
    return PlaceError(path, line, column, _said(where, _message(fault, where)))


def _said(where: tuple[Any, ...], message: str) -> str:
    name = ""
    for step in where:
        name += f"[{step}]" if isinstance(step, int) else f"{'.' if name else ''}{step}"
    return f"{name or 'scenario'}: {message}"


def _message(fault: Any, where: tuple[Any, ...]) -> str:
    kind = fault["type"]
    if kind == "extra_forbidden":
        owner = next((s for s in reversed(where[:-1]) if isinstance(s, str)), "")
        fields = _MODELS.get(owner, Scenario).model_fields
        known = [field.alias or name for name, field in fields.items()]
        near = get_close_matches(str(where[-1]), known, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"choose of: {', '.join(known)}"
        return f"unknown key; {hint}"
    if kind == "missing":
        return "is missing; add it (wattledger sim --example shows every key)"
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    text = fault["msg"][0].lower() + fault["msg"][1:]
    return f"is {_shown(fault['input'])}; {text.replace('input should be', 'it must be')}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _place(root: Any, where: tuple[Any, ...]) -> tuple[int, int]:
    """Line and column of a key (or list item) of the document; of its parent when it is absent."""
    node, line, column = root, 0, 0
    for step in where:
        if isinstance(node, CommentedMap) and step in node:
            line, column = node.lc.key(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, column = node.lc.item(step)
        else:
            break
        node = node[step]
    return line + 1, column + 1


def shorten(scenario: Scenario, days: int, path: Path) -> Scenario:
    """The same scenario over `days` days; events after its end do not happen."""
    seconds = days * 86_400
    kept = [event for event in scenario.events if scenario.at(event) < seconds]
    changed = scenario.model_copy(update={"days": days, "hours": 0, "events": kept})
    changed.settle(path.parent)
    return changed
