"""The script `wattledger`: runs one command line and tells its errors.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

Only what needs no time is imported here: a Ctrl-C may come while the commands are.
"""

import os
import sys

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def run(arguments: list[str]) -> int:
    """Run one command line; its exit code. Errors end as one or two lines on stderr."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    import typer

    from wattledger.tools import output
    from wattledger.tools.commands import app
    from wattledger.tools.errors import ToolError

    # The base of every usage error; typer exports only this child of it.
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        _check(arguments)
        code = app(arguments or ["--help"], prog_name="wattledger", standalone_mode=False)
        sys.stdout.flush()
        return code or 0
    except usage_error as error:
        return _wrong_usage(error)
    except typer.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; Python must not complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except ToolError as error:
        output.error(str(error))
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        output.error(f"{what}{error.strerror or error}; check the path, the disk and permissions")
    except Exception as error:
        # The rooms' errors are imported only once there is one to be told.
        if not _is_told(error):
            raise
        output.error(str(error))
    return FAILED


def _check(arguments: list[str]) -> None:
    """Bytes that are no text come as lone surrogates, which no file, page or meter takes."""
    import typer

    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter(
                f"{argument!r} is not text in {sys.getfilesystemencoding()}; write it so, and "
                "rename a file that is named so"
            ) from None


def _is_told(error: Exception) -> bool:
    """True for the errors of a room, whose message is written for a person."""
    from wattledger.agent.errors import AgentError
    from wattledger.firmware.errors import FirmwareError
    from wattledger.hal.errors import HalError
    from wattledger.host_sim.errors import SimulatorError

    return isinstance(error, (AgentError, FirmwareError, HalError, SimulatorError))


def _wrong_usage(error: Exception) -> int:
    from wattledger.tools import output

    context = getattr(error, "ctx", None)
    command = context.command_path if context else "wattledger"
    text = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    output.error(f"{command}: {text}\nsee: {command} --help")
    return WRONG_USAGE


def prepare_streams() -> None:
    """Let nothing that is said or typed fail: a stream that is closed takes it, and what a
    stream's encoding cannot show is shown as `?`."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # It takes the free number: no file of ours, and none of a child's, is output then.
            stream = open(os.devnull, mode)
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
        else:
            stream.reconfigure(errors="replace")


def main() -> None:
    """Entry point of the `wattledger` script."""
    try:
        prepare_streams()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
