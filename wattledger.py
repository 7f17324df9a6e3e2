"""The import name of every room: `wattledger.agent`, `wattledger.hal`, ... wherever they lie.

As top-level names `board`, `hal`, `agent` and `tools` collide with other packages. The source tree
works as it lies (rooms beside this file), and so does an installation (rooms in a folder
`wattledger` beside this file). A device image has that folder alone.
"""

if "__spec__" in globals():  # CPython's import system wants a list
    from os.path import dirname, join

    # Installed first: a site-packages folder may hold someone else's `board` or `tools`.
    __path__ = [join(dirname(__file__), "wattledger"), dirname(__file__)]
else:  # MicroPython's wants one folder, as a str
    __path__ = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
