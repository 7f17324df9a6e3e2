"""Storage of a simulated meter, whose power may go within any write (contract Storage).

A commit is whole or not there; of an append some bytes may have arrived. What was appended and
not yet synced may be lost with the power, so the bytes that arrive are synced.
"""


class BridgeStorage:
    """`storage`, and a port (hal/bus/bridge.py) that is asked before each write if it watches."""

    def __init__(self, port, storage):
        self._port = port
        self._storage = storage
        self.sync = storage.sync
        self.read_from = storage.read_from
        self.size = storage.size
        self.names = storage.names
        self.free = storage.free

    def commit(self, name, data):
        arrives = self._arrives(len(data))
        if arrives < 0 or arrives == len(data):
            self._storage.commit(name, data)
        self._end(arrives)

    def append(self, name, data):
        arrives = self._arrives(len(data))
        if arrives < 0:
            self._storage.append(name, data)
        elif arrives:
            self._storage.append(name, data[:arrives])
            self._storage.sync(name)
        self._end(arrives)

    def remove(self, name):
        arrives = self._arrives(1)
        if arrives:
            self._storage.remove(name)
        self._end(arrives)

    def _arrives(self, length):
        return self._port.writing(length) if self._port.watches_writes else -1

    def _end(self, arrives):
        if arrives >= 0:
            self._port.lose_power()
