"""What every supply relay promises (hal/contract.py), whichever relay it is. Portable."""

PULSE_MS = 100


class RelayBench:
    """One relay with its contact wired. Override what differs."""

    latching = True  # False: open until it is told to close

    def __init__(self, closed):
        """`closed`: where a latching relay stands before the firmware starts."""
        self.relay = None

    def pass_ms(self, ms):
        """Let time pass for the relay and its timer."""


def keep_relay_promises(case, bench):
    """Hold `bench` (a class like RelayBench) to the contract; `case` is a TestCase."""
    for closed in (True, False) if bench.latching else (False,):
        built = bench(closed)
        built.pass_ms(10 * PULSE_MS)
        case.assertEqual(built.relay.contact(), closed, "it moved on construction")
    for commands in ("o", "c", "oc", "co", "oo", "cc", "oco", "coc"):
        for gap_ms in (0, PULSE_MS // 2, 3 * PULSE_MS):
            for closed in (True, False) if bench.latching else (False,):
                built = bench(closed)
                for command in commands:
                    if command == "o":
                        built.relay.open()
                    else:
                        built.relay.close()
                    built.pass_ms(gap_ms)
                built.pass_ms(3 * PULSE_MS)
                wanted = commands[-1] == "c"
                case.assertEqual(built.relay.contact(), wanted, (commands, gap_ms, closed))
