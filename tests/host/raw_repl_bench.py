"""A board at the far end of a pseudo-terminal: MicroPython's raw REPL over a folder.

What mpremote sends is run by Python itself, with `os` and `open` turned to the folder.
"""

import builtins
import contextlib
import errno
import io
import os
import select
import threading
import traceback
import types

from wattledger.tests.host.pty_bench import Pty

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
PIECE = 4096


class Board:
    """`port` is its name, `folder` its flash; `resets` what was asked; `prompt` False: a meter
    that answers nothing; `after`: lines said after a reset."""

    def __init__(self, folder, prompt=True, after=()):
        self.folder = folder
        self.prompt = prompt
        self.after = after
        self.resets = 0
        self._pty = Pty()
        self.port = self._pty.name
        self._names = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join()
        self._pty.unplug()

    def say(self, data):
        os.write(self._pty.chip, data)

    def _serve(self):
        code = b""
        while not self._stop.is_set():
            if not select.select([self._pty.chip], [], [], 0.05)[0]:
                continue
            got = os.read(self._pty.chip, PIECE)
            if not self.prompt:
                continue
            for value in got:
                byte = bytes([value])
                if byte == b"\x01":
                    paste = code.endswith(b"\x05A")  # raw paste: known, not offered
                    code = b""
                    self.say(b"R\x00" if paste else BANNER)
                elif byte in b"\x02\x03":
                    code = b""
                elif byte != b"\x04":
                    code += byte
                elif not code.strip(b"\x01\r"):
                    self._names = {}
                    self.say(b"OK\r\nMPY: soft reboot\r\n" + BANNER)
                else:
                    self._run(code.lstrip(b"\x01\r"))
                    code = b""

    def _run(self, code):
        said, wrong = io.StringIO(), ""
        self.say(b"OK")
        try:
            with contextlib.redirect_stdout(said):
                exec(code.decode(), self._globals())  # noqa: S102  that is what a board does
        except _ResetError:
            self.resets += 1
            self.say("".join(line + "\r\n" for line in self.after).encode())
            return
        except OSError as error:  # as MicroPython names it
            wrong = "OSError: [Errno %d] %s\r\n" % (error.errno, errno.errorcode[error.errno])
        except Exception:
            wrong = traceback.format_exc()
        text = said.getvalue().replace("\n", "\r\n")
        self.say(text.encode() + b"\x04" + wrong.encode() + b"\x04>")

    def _globals(self):
        if not self._names:
            self._names["__builtins__"] = dict(
                vars(builtins), open=self._open, __import__=self._import
            )
        return self._names

    def _path(self, name):
        return str(self.folder) + "/" + name.lstrip("/")

    def _open(self, name, mode="r"):
        return open(self._path(name), mode)

    def _import(self, name, *others):
        if name == "machine":
            return types.SimpleNamespace(reset=_reset)
        if name == "time":
            return types.SimpleNamespace(sleep_ms=lambda ms: None)
        if name != "os":
            return __import__(name, *others)
        return types.SimpleNamespace(
            mkdir=lambda path: os.mkdir(self._path(path)),
            stat=lambda path: tuple(os.stat(self._path(path))),
            remove=lambda path: os.remove(self._path(path)),
        )


class _ResetError(Exception):
    """machine.reset() was called."""


def _reset():
    raise _ResetError
