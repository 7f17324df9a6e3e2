"""How much memory an object holds in CPython, through everything that can be reached from it."""

import gc
import sys
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

# Code, and not what it works on.
_CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, CodeType)


def size_of(root: Any, outside: tuple[Any, ...] = ()) -> int:
    """Bytes of `root` and of all it refers to, except `outside` and what only they refer to."""
    seen = {id(item) for item in outside}
    total = 0
    waiting = [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, _CODE):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        waiting += gc.get_referents(item)
    return total
