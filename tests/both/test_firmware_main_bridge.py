"""The meter in lock-step: what one turn is, and who decides its order."""

import unittest

from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED
from wattledger.board import sim as board
from wattledger.firmware import main_bridge
from wattledger.firmware.main_bridge import LockstepMeter, run
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.tests.both.fixtures_agent import START, UNIT, config_of, tariff_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER

HEAP = "640K"


class Port:
    """A port of a world without a house: the chip alone, and what the test sets."""

    def __init__(self):
        self.chip = Atm90e32(**board.CALIBRATION[0])
        self.chip.set_phase(0, 230_000, 0, 0)
        self.transfer = self.chip.transfer
        self.closed = True
        self.offer_waits = True
        self.message_waits = self.link_up = self.button = self.stopping = False
        self.watches_writes = self.asks = self.visitor_waits = False
        self.link_session = 0
        self.passed = []  # (ms, midway)
        self.turns_left = -1

    def start(self):
        return START * 1000

    def advance(self, ms, midway=False):
        self.passed.append((ms, midway))
        self.chip.feed(ms)
        if not midway:
            self.stopping = self.turns_left == 0
            self.turns_left -= 1
        return 0

    def take_offer(self):
        self.offer_waits = False
        return START

    def fill(self, buffer):
        for index in range(len(buffer)):
            buffer[index] = 7

    def move(self, closed):
        self.closed = closed

    def contact(self):
        return self.closed


def meter_of(port, credit=10 * UNIT, token_key=b"", tariff=None, **config):
    storage = MemoryStorage()
    commission(storage, METER, START, TRUST_SYNCED, credit, CONNECTED)
    said = []
    config = config_of(**config)
    tariff = tariff or tariff_of()
    meter = LockstepMeter(port, config, storage, DEVICE_KEY, tariff, said.append, token_key)
    meter.said = said
    port.passed = []
    return meter


class TestTurn(unittest.TestCase):
    def setUp(self):
        self.port = Port()

    def count(self, agent, waits):
        """Replace the agent's calls: `done` lists them, steps return `waits` in turn."""
        done = []

        def step():
            done.append("step")
            return waits[min(done.count("step"), len(waits)) - 1]

        agent.tick = lambda: done.append("tick")
        agent.step = step
        return done

    def test_a_boot_takes_the_time_before_the_first_turn(self):
        meter = meter_of(self.port)
        self.assertEqual(meter.agent.time.unix(), START)
        self.assertEqual(meter.agent.time.trust(), TRUST_SYNCED)

    def test_time_passes_then_a_tick_then_steps_until_one_has_time(self):
        meter = meter_of(self.port)
        done = self.count(meter.agent, [10, 10, 1_000])
        self.assertTrue(meter.turn())
        self.assertEqual(done, ["tick", "step", "step", "step"])
        self.assertEqual(self.port.passed, [(1_000, False)])

    def test_steps_that_never_end_are_sixteen(self):
        meter = meter_of(self.port)
        done = self.count(meter.agent, [10])
        meter.turn()
        self.assertEqual(done, ["tick"] + ["step"] * 16)

    def test_a_failing_tick_is_told_and_the_steps_follow(self):
        meter = meter_of(self.port)

        def fail():
            raise ValueError("no")

        meter.agent.tick = fail
        self.assertTrue(meter.turn())
        self.assertEqual(len(meter.said), 1)
        self.assertIn("tick failed", meter.said[0])
        self.assertEqual(meter.runtime.failures, 1)

    def test_the_world_ends_it_between_two_turns(self):
        meter = meter_of(self.port)
        self.port.turns_left = 3
        self.assertIsNone(run(meter, 1_000, False))
        self.assertEqual(len(self.port.passed), 4)
        self.assertEqual(meter.agent.meter.ticks, 3)

    def test_energy_is_metered_through_the_port(self):
        meter = meter_of(self.port)
        self.port.chip.set_phase(0, 230_000, 15_652, 3_600_000)
        for _ in range(10):
            meter.turn()
        self.assertEqual(meter.agent.meter.register.import_wh, 10)  # 3600 W for 10 s

    def test_chip_setup_waits_in_the_middle_of_a_turn(self):
        meter = meter_of(self.port)
        self.port.chip.brown_out()
        meter.turn()
        self.assertEqual(self.port.passed[0], (1_000, False))
        self.assertGreater(len(self.port.passed), 1)
        self.assertEqual([midway for _, midway in self.port.passed[1:]], [True])


class TestVisitors(unittest.TestCase):
    """What a person at the meter brings is done in the next turn."""

    def setUp(self):
        self.port = Port()
        self.wishes = []
        self.port.visit = self.visit

    def visit(self):
        self.port.visitor_waits = len(self.wishes) > 0
        return self.wishes.pop(0) if self.wishes else None

    def turn(self, meter, *wishes):
        self.wishes = list(wishes)
        self.port.visitor_waits = True
        meter.turn()
        self.assertEqual(self.wishes, [])
        self.assertEqual(self.port.visitor_waits, False)

    def test_a_document_is_taken(self):
        meter = meter_of(self.port)
        self.turn(meter, ("document", tariff_of(n=2, **{"from": START + 900}), False))
        self.assertEqual(meter.agent.account.pending.n, 2)
        self.assertEqual((meter.documents, meter.said), (1, []))

    def test_a_document_that_is_refused_is_told_and_journalled(self):
        meter = meter_of(self.port)
        before = meter.agent.journal.sequence
        self.turn(meter, ("document", b"{}", False), ("document", b"not JSON", False))
        self.assertEqual(meter.documents, 2)
        self.assertEqual([line[:9] for line in meter.said], ["refused: "] * 2)
        self.assertEqual(meter.runtime.failures, 0)
        self.assertGreaterEqual(meter.agent.journal.sequence - before, 2)

    def test_emergency_credit_is_accepted_when_it_is_offered(self):
        credit = {"low": [3 * UNIT, 2 * UNIT], "emergency": UNIT}
        credit.update({"reconnect_above": UNIT, "max": 9 * UNIT, "friendly": []})
        meter = meter_of(self.port, credit=3 * UNIT, tariff=tariff_of(credit=credit))
        watch = meter.agent.account.watch
        self.turn(meter, ("accept", b"", False))
        self.assertEqual(watch.accepted, False)
        self.setUp()
        meter = meter_of(self.port, credit=2 * UNIT, tariff=tariff_of(credit=credit))
        meter.turn()
        self.turn(meter, ("accept", b"", False))
        self.assertEqual(meter.agent.account.watch.accepted, True)

    def test_heap_is_measured_an_hour_after_the_last_document(self):
        meter = meter_of(self.port, tick_ms=10_000)
        self.port.turns_left = 0
        counted = []
        meter.turn = lambda: counted.append(1) or len(counted) <= 700
        free = main_bridge._free
        main_bridge._free = lambda: len(counted)
        try:
            self.assertEqual(run(meter, 10_000, True), (360, 701))
            counted.clear()
            meter.turn = lambda: self.bring(meter, counted, 100)
            self.assertEqual(run(meter, 10_000, True), (460, 701))
            counted.clear()
            meter.turn = lambda: self.bring(meter, counted, 400)
            self.assertEqual(run(meter, 10_000, True), (None, 701))
        finally:
            main_bridge._free = free

    def bring(self, meter, counted, at):
        counted.append(1)
        meter.documents += len(counted) == at
        return len(counted) <= 700


class TestButton(unittest.TestCase):
    def cut_off(self, **config):
        """A meter that has cut its supply, was paid, and has waited its minute."""
        port = Port()
        meter = meter_of(port, credit=2 * UNIT, **config)
        port.chip.set_phase(0, 230_000, 15_652, 3_600_000)
        # A sudden load is warned of first, and cut five minutes later.
        for _ in range(310_000 // config.get("tick_ms", 1000)):
            meter.turn()
            port.passed = []
        port.chip.set_phase(0, 230_000, 0, 0)
        self.assertEqual((port.closed, meter.agent.supply.state), (False, DISCONNECTED))
        account = meter.agent.account
        account.credit(1, 400 * UNIT, meter.agent.time.unix(), TRUST_SYNCED)
        meter.agent.control.look_again()
        for _ in range(70):
            meter.turn()
        self.assertEqual(port.closed, False)
        return port, meter

    def test_three_seconds_on_the_button_close(self):
        port, meter = self.cut_off()
        port.button = True
        for _ in range(3):
            meter.turn()
        self.assertEqual(port.closed, False)  # seen held for two seconds
        meter.turn()
        self.assertEqual(port.closed, True)

    def test_a_press_that_ends_early_does_not(self):
        port, meter = self.cut_off()
        for _ in range(3):
            port.button = True
            for _ in range(3):
                meter.turn()
            port.button = False
            meter.turn()
        self.assertEqual(port.closed, False)

    def test_a_long_tick_looks_at_a_held_button_every_second(self):
        port, meter = self.cut_off(tick_ms=10_000)
        port.button = True
        port.passed = []
        meter.turn()
        self.assertEqual(port.passed, [(1_000, False)] + [(1_000, True)] * 9)
        self.assertEqual(port.closed, True)


class TestWiring(unittest.TestCase):
    def test_the_key_of_its_tokens_reaches_the_meter(self):
        made = {"scheme": "sts", "ea": "07", "base": 2014, "made": START - 86_400}
        meter = meter_of(Port(), token_key=bytes(range(8)), token=made)
        self.assertEqual(meter.agent.tokens.memory.key, bytes(range(8)))


if __name__ == "__main__":
    unittest.main()
