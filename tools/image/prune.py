"""microdot cut down to what the page calls: 60 kB of source, of which a device needs a third.

A method of a class costs heap whether it is called or not. The page is tested in the cut form.
"""

import ast

# What hal/display has no use for; its other names go when nothing is left that reads them.
UNUSED = {
    "Microdot": (
        *("get", "post", "put", "patch", "delete", "query", "before_request", "mount"),
        *("abort", "start_server", "run", "shutdown"),
    ),
    "Request": ("stream", "json", "form", "files", "after_request"),
    "Response": ("set_cookie", "delete_cookie", "redirect", "send_file"),
    "URLPattern": ("register_type", "__repr__"),
    "HTTPException": ("__repr__",),
    "NoCaseDict": ("__delitem__", "update"),
}
FRONT = "from microdot.microdot import Microdot, Request, Response\n"
KEPT = ("Microdot", "Request", "Response")


def prune(source: str) -> str:
    """The source of microdot/microdot.py without what the page does not call. KeyError when it
    has changed: look at UNUSED again."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            _cut(node)
    while _drop_unread(tree):
        pass
    return ast.unparse(tree)


def _cut(node: ast.ClassDef) -> None:
    gone = set(UNUSED.get(node.name, ()))
    names = {getattr(each, "name", None) for each in node.body}
    if not gone <= names:
        raise KeyError(f"{node.name} of microdot has no {sorted(gone - names)}")
    node.body = [each for each in node.body if getattr(each, "name", None) not in gone]


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
