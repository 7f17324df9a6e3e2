"""A simulated CSE7766 (HLW8032) behind its TX pin. Portable, integers only.

Sources: ESPHome `components/cse7766`, Tasmota `xnrg_02_cse7766.ino`, a capture without mains on
ElectroDragon's HLW8032 page (state 0xFA, adj 0x01); no datasheet. A frame of 24 characters takes
55 ms at 4800 baud 8E1; it is sent every `period_ms`, a choice: sources say "50 ms".
Modelled: cycles, their range (24 bits, said in the state), adj, CF with its toggle, the checksum.
Not modelled: how long a cycle takes to be measured, creep.
"""

from wattledger.host_sim.chip.serial_chip import SerialChip
from wattledger.host_sim.chip.single_phase import PPM, RATE, SinglePhase, nearest
from wattledger.host_sim.chip.uart_line import UartLine

FRAME = 24
RANGE = 1 << 24
VOLTAGE = 0
CURRENT = 1
POWER = 2


class Cse7766(SerialChip):
    """One chip with its factory coefficients, on a plug of 1 mOhm and 1 MOhm over 1 kOhm."""

    def __init__(
        self,
        baud=0,
        period_ms=60,
        voltage_coefficient=194_400,
        current_coefficient=16_400,
        power_coefficient=5_351_000,
    ):
        """`baud` 0: frames arrive at once."""
        # CF x coefficient / 10^6 J; a J is 10^6 mW ms.
        super().__init__(UartLine(baud, 11), SinglePhase(power_coefficient))
        self.coefficients = [voltage_coefficient, current_coefficient, power_coefficient]
        self._period_ms = period_ms
        self._wait_ms = period_ms
        self._cycles = [0, 0, 0]
        self._valid = 0
        self._state = 0x55
        self._count = 0  # CF and, as bit 16, its toggle
        self._sent_at = 0  # counts made when the last frame was built
        self._frame = bytearray(FRAME)
        self._measure()

    # The driver's side.

    def write(self, buffer):
        """The chip has no input."""

    def read_into(self, buffer):
        """Bytes that have arrived at the host; how many."""
        count = self.line.read_into(buffer)
        if count and self.line.is_empty():
            self._taken = self._sent_at
        return count

    def push(self):
        """Send a frame now."""
        frame = self._frame
        frame[0] = self._state
        frame[1] = 0x5A
        at = 2
        for kind in range(3):
            at = self._lay(at, self.coefficients[kind])
            at = self._lay(at, self._cycles[kind])
        frame[20] = self._valid | self._count >> 9 & 0x80 | 0x01
        frame[21] = self._count >> 8 & 0xFF
        frame[22] = self._count & 0xFF
        total = 0
        for index in range(2, FRAME - 1):
            total += frame[index]
        frame[23] = total & 0xFF
        self._sent_at = self._phase.made
        self.line.send(frame, FRAME)

    def _lay(self, at, value):
        frame = self._frame
        frame[at] = value >> 16
        frame[at + 1] = value >> 8 & 0xFF
        frame[at + 2] = value & 0xFF
        return at + 3

    # The world's side. These may allocate.

    def feed(self, ms):
        """Let `ms` milliseconds pass; frames go out on their way."""
        while ms >= self._wait_ms:
            self._pass(self._wait_ms)
            ms -= self._wait_ms
            self._wait_ms = self._period_ms
            self.push()
        self._wait_ms -= ms
        self._pass(ms)

    def _pass(self, ms):
        counts = self._phase.feed(ms)
        self._phase.made += counts
        self._count = (self._count + counts) % (2 << 16)
        self.line.feed(ms)

    def _measure(self):
        phase = self._phase
        rate = abs(phase.rate)
        tops = self.coefficients
        ratios = (
            (tops[VOLTAGE] * 1000 * PPM, phase.voltage),
            (tops[CURRENT] * 1000 * PPM, phase.current),
            (tops[POWER] * 1000 * RATE, rate),
        )
        self._valid = 0
        faults = 0
        for kind in range(3):
            top, bottom = ratios[kind]
            cycle = nearest(top, bottom) if bottom else RANGE
            if cycle < RANGE:
                self._valid |= 0x40 >> kind
                self._cycles[kind] = cycle
            else:
                faults |= 0x08 >> kind
                self._cycles[kind] = RANGE - 1
        self._state = 0xF0 | faults if faults else 0x55

    def brown_out(self):
        """The supply dipped: CF and its toggle start at 0; the coefficients are the factory's."""
        self._phase.forget()
        self._count = 0
        self._sent_at = self._taken = self._phase.made
        self._wait_ms = self._period_ms

    # Faults for tests.

    def peek(self, kind):
        """The cycle of voltage, current, power (0, 1, 2), or CF with its toggle (3)."""
        return self._count if kind == 3 else self._cycles[kind]

    def poke(self, kind, value):
        """Change what `peek` shows; a cycle holds until the mains change."""
        if kind == 3:
            self._count = value
        else:
            self._cycles[kind] = value

    def state(self):
        """Everything that makes it this chip, for JSON."""
        state = super().state()
        state.update({"count": self._count, "sent_at": self._sent_at, "wait_ms": self._wait_ms})
        return state

    def restore(self, state):
        """Be the chip `state` was taken from."""
        super().restore(state)
        self._count = state["count"]
        self._sent_at = state["sent_at"]
        self._wait_ms = state["wait_ms"]
        self._measure()
