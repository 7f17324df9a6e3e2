"""Questions to a person. They go to stderr: stdout holds results alone."""

import sys

from wattledger.tools.errors import ToolError


class InputError(ToolError):
    """The input ended where an answer was due."""


def ask(question: str, default: str | None = None, remedy: str = "answer it") -> str:
    """The line typed, or `default` for an empty one; without a default it is asked again."""
    offered = f"{question} [{default}]" if default else question
    while True:
        print(f"{offered}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=sys.stderr)
            asked = question.strip()
            raise InputError(f"the input ended at {asked!r}, and nothing was done; {remedy}")
        answer = line.strip() or default
        if answer is not None:
            return answer


def number(question: str, default: float | None) -> float:
    """As ask(), until it is a number."""
    while True:
        answer = ask(question, None if default is None else str(default))
        try:
            return float(answer)
        except ValueError:
            print(f"{answer!r} is no number, as 230.1; once more", file=sys.stderr)


def confirm(question: str) -> bool:
    """True for yes, False for no; nothing typed is no."""
    while True:
        answer = ask(f"{question} [y/N]", "", "answer y, or give --yes").lower()
        if answer in ("", "n", "no", "y", "yes"):
            return answer.startswith("y")
        print("answer y or n", file=sys.stderr)
