"""microdot cut down to what the page calls: 60 kB of source, of which a device needs a third.

A method of a class costs heap whether it is called or not. The page is tested in the cut form.
"""

import ast
from pathlib import Path

from wattledger.tools.errors import ToolError

# What hal/display has no use for; its other names go when nothing is left that reads them.
UNUSED = {
    "Microdot": (
        *("get", "post", "put", "patch", "delete", "query", "before_request", "mount"),
        *("abort", "start_server", "run", "shutdown", "route", "find_route"),
    ),
    "Request": ("stream", "json", "form", "files", "after_request"),
    "Response": (
        *("set_cookie", "delete_cookie", "redirect", "send_file"),
        *("types_map", "default_send_file_max_age"),
    ),
    "URLPattern": ("register_type", "__repr__"),
    "HTTPException": ("__repr__",),
    "NoCaseDict": ("__delitem__", "update"),
}
KEPT = ("Microdot", "Request", "Response")
FRONT = "from microdot.microdot import %s\n" % ", ".join(KEPT)
# What it looks for first and MicroPython has not: there the other branch is all there is.
ELSEWHERE = ("inspect", "orjson")
NATIVE = ("sys",)  # the first branch is there


def installed() -> str:
    """The source of microdot/microdot.py. ToolError without one."""
    try:
        import microdot
    except ImportError:
        raise ToolError("the page needs microdot: pip install 'wattledger[flash]'") from None
    return Path(microdot.__file__ or "").with_name("microdot.py").read_text("utf-8")


def library() -> bytes:
    """microdot in an image: cut down, and for MicroPython alone. ToolError."""
    tree = ast.parse(prune(installed()))
    body: list[ast.stmt] = []
    for node in tree.body:
        body += _branch(node) if isinstance(node, ast.Try) else [node]
    tree.body = body
    return ast.unparse(tree).encode()


def _branch(node: ast.Try) -> list[ast.stmt]:
    """The one way that an attempt to import ends on MicroPython."""
    first = node.body[0]
    if isinstance(first, ast.ImportFrom):
        name = first.module
    else:
        name = first.names[0].name if isinstance(first, ast.Import) else None
    if name in ELSEWHERE:
        return node.handlers[0].body
    return node.body if name in NATIVE else [node]


def prune(source: str) -> str:
    """The source of microdot/microdot.py without what the page does not call. ToolError when it
    has changed."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            _cut(node)
    while _drop_unread(tree):
        pass
    return ast.unparse(tree)


def _cut(node: ast.ClassDef) -> None:
    gone = set(UNUSED.get(node.name, ()))
    names = {_name(each) for each in node.body}
    if not gone <= names:
        raise ToolError(
            f"{node.name} of microdot has no {sorted(gone - names)}: look at UNUSED again"
        )
    node.body = [each for each in node.body if _name(each) not in gone]


def _drop_unread(tree: ast.Module) -> bool:
    """Take out what stands at the top and nothing reads; True when there was any."""
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _loads(node)}
    kept = [node for node in tree.body if _name(node) in (None, *KEPT) or _name(node) in read]
    dropped = len(kept) < len(tree.body)
    tree.body = kept
    return dropped


def _loads(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _name(node: ast.stmt) -> str | None:
    """The one name that a statement defines; None for any other statement."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None
