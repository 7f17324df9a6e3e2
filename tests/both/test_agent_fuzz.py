"""Nearly-commands, rightly signed: judged alike on both interpreters, and forgotten."""

import gc
import unittest

from wattledger.tests.both import fixtures_fuzz as fuzz
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.both.fixtures_linked import Linked

HEAP = "640K"
allocated = getattr(gc, "mem_alloc", int)  # CPython does not tell: 0
SEEDS = 300
WARM = 60
# The CPython run's; an interpreter that takes one payload more, or one less, has another tally.
TALLY = {"bad signature": 2, "denied locally": 20, "ok": 2, "range": 276}


class Gated(House):
    gate_key = jws.GATE_SECRET


class TestFuzz(Linked):
    def build(self):
        return Gated(credit=10, linked=True)

    def judge(self, seed):
        desk = self.house.agent.desk
        if desk.is_silent():
            self.house.pass_ms(60_000)
        desk._taken = 0  # how many are too many in a minute is others' to test
        message, _, _ = fuzz.command(seed, self.challenge)
        return desk.handle(message, False)["result"]

    def test_results_are_those_of_the_other_interpreter(self):
        tally = {}
        for seed in range(SEEDS):
            result = self.judge(seed)
            tally[result] = tally.get(result, 0) + 1
        self.assertEqual(tally, TALLY)

    def test_the_heap_comes_back(self):
        for seed in range(WARM):
            self.judge(seed)
        gc.collect()
        before = allocated()
        for seed in range(WARM, SEEDS):
            self.judge(seed)
        gc.collect()
        self.assertTrue(allocated() - before < 2_048)


if __name__ == "__main__":
    unittest.main()
