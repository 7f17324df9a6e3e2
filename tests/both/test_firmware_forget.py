"""A module that only the boot needed leaves memory and can be imported again."""

import sys
import unittest

from wattledger.firmware.forget import forget, loaded

NAME = "wattledger.hal.network.backoff"


class ForgetTest(unittest.TestCase):
    def test_only_what_came_since_is_forgotten(self):
        from wattledger.hal import network

        before = dict(sys.modules)
        held = before.get(NAME)
        sys.modules.pop(NAME, None)
        if hasattr(network, "backoff"):
            del network.backoff
        kept = loaded()
        from wattledger.hal.network import backoff

        self.assertTrue(NAME in sys.modules)
        first = backoff
        forget(kept)
        self.assertFalse(NAME in sys.modules)
        self.assertFalse(hasattr(network, "backoff"))
        self.assertTrue("wattledger.firmware.forget" in sys.modules)
        self.assertTrue("unittest" in sys.modules)
        from wattledger.hal.network import backoff

        self.assertFalse(first is backoff)
        # What other tests of this process hold stays what it was.
        for name in before:
            sys.modules[name] = before[name]
        if held is not None:
            network.backoff = held


if __name__ == "__main__":
    unittest.main()
