"""The documents hold: links lead somewhere, commands and options exist, pictures stand alone."""

import re
from xml.etree import ElementTree

import pytest
import ruamel.yaml
import typer.main

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools.commands import app

PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?\n(.*?)```|`([^`\n]+)`", re.DOTALL)
CALL = re.compile(r"(?:python3 run\.py|(?:\.venv/bin/)?wattledger) ([^\n#]+)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OF_RUN_PY = ("test",)  # run.py's own, not the CLI's


def names(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


def headings(text):
    """The fragments that a page's headings make."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in found]
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {target} leads nowhere"
        assert ROOT in (there, *there.parents), f"{page.name}: {target} leaves the repository"
        if fragment:
            known = headings(there.read_text(encoding="utf-8"))
            assert fragment in known, f"{page.name}: no heading makes #{fragment}"


def calls(text):
    """What follows `wattledger` or `run.py` in the code of a page."""
    for block, span in CODE.findall(text):
        yield from CALL.findall(block or span)


def resolve(words):
    """The command that the words of a call name, or None when they stand for any command."""
    found = typer.main.get_command(app)
    for word in words:
        if not hasattr(found, "commands"):
            break
        if word.isupper() or word.startswith(("-", "<", ".")):
            return None
        assert word in found.commands, f"there is no command {' '.join(words)!r}"
        found = found.commands[word]
    return found


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_commands_and_their_options_exist(page):
    for call in calls(page.read_text(encoding="utf-8")):
        words = call.split()
        if words[0] in OF_RUN_PY:
            continue
        command = resolve(words)
        if command is None:
            continue
        alone = getattr(command, "invoke_without_command", True)
        assert alone, f"{call!r} names a group, not a command"
        known = {option for parameter in command.params for option in parameter.opts}
        for option in OPTION.findall(call):
            assert option in known | {"--help"}, f"{call!r}: there is no option {option}"


def test_the_check_finds_what_is_wrong():
    assert list(calls("`wattledger x --y` and\n```\npython3 run.py z # no\n```")) == [
        "x --y",
        "z ",
    ]
    with pytest.raises(AssertionError):
        resolve(["ledger", "sing"])
    assert resolve(["NAME", "..."]) is None
    assert headings("# One, two\n## Three") == {"one-two", "three"}


PICTURES = sorted((ROOT / "docs" / "images").glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=names(PICTURES))
def test_a_picture_stands_alone_and_has_words_for_who_cannot_see_it(picture):
    text = picture.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "desc"} <= tags and not {"script", "image", "foreignObject"} & tags
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in text


def test_every_document_is_linked_from_another():
    linked = set()
    for page in PAGES:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            linked.add((page.parent / target.partition("#")[0]).resolve())
    documents = sorted((ROOT / "docs").rglob("*"))
    lost = [path for path in documents if path.suffix in (".md", ".svg") and path not in linked]
    assert names(lost) == []


def test_pre_commit_runs_only_tools_that_the_tests_install():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    config = ruamel.yaml.YAML(typ="safe").load(text)
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        folder, tool = hook["entry"].split()[0].rsplit("/", 1)
        assert (hook["language"], folder) == ("system", ".venv/bin")
        assert re.search(rf'^    "{tool}>=[\d.]+,<[\d.]+"', extras, re.MULTILINE), tool
