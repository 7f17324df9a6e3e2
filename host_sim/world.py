"""A house in virtual time: mains, load and relay contact around a metering chip."""

from wattledger.host_sim.load import reactive_mvar

# What a disturbance makes of the voltage, per cent.
DISTURBED = {"sag": 75, "swell": 125}
REVERSE = "reverse"  # the current the other way round
UW_PER_MW = 1000  # energies are kept in mW ms, which is uWs


class World:
    """One phase (A) of a house, standing still until `advance` is called.

    `load` and `mains` are functions of time (see load.py and mains.py); `chip` and `relay` are
    told and asked. The energies are the truth about what passed the meter. `button` is True while
    a person holds the button of the meter.
    """

    def __init__(self, start_ms, chip, load, mains, relay):
        self.start_ms = start_ms
        self.time_ms = start_ms
        self.chip = chip
        self.relay = relay
        self.button = False
        self.powered = True
        self._disturbance = None
        self._load = load
        self._mains = mains
        self._import_uws = 0
        self._export_uws = 0
        self._power_mw = 0
        self._until_ms = start_ms  # the chip knows the mains up to here
        self._contact = None
        self._connect()

    @property
    def import_mws(self):
        """Energy taken since the world began, whole mWs."""
        return self._import_uws // UW_PER_MW

    @property
    def export_mws(self):
        """Energy given since the world began, whole mWs."""
        return self._export_uws // UW_PER_MW

    def advance(self, ms):
        """Let `ms` milliseconds pass, split where load or mains change."""
        end = self.time_ms + ms
        if not self.powered:
            self.time_ms = end
            return
        self.relay.pass_ms(ms)
        while self.time_ms < end:
            if self.time_ms >= self._until_ms or self._contact != self.relay.conducts():
                self._connect()
            step = min(end, self._until_ms) - self.time_ms
            self.chip.feed(step)
            if self._power_mw > 0:
                self._import_uws += self._power_mw * step
            else:
                self._export_uws -= self._power_mw * step
            self.time_ms += step

    def lose_mains(self):
        """A power cut: nothing flows and nothing counts. The meter is to be cut by its owner."""
        self.powered = False

    def return_mains(self):
        """The mains are back; the chip starts as it does when its supply comes up."""
        self.powered = True
        self.chip.brown_out()
        self._connect()

    def disturb(self, kind):
        """The terminals see "sag", "swell" or "reverse" from now on; None: what there is."""
        self._disturbance = kind
        self._connect()

    def _connect(self):
        """Tell the chip what its terminals see from now until the next change."""
        now = self.time_ms
        self._contact = self.relay.conducts()
        voltage = self._load.voltage_mv(now)
        if voltage is None:
            voltage = self._mains.voltage_mv(now)
        voltage = voltage * DISTURBED.get(self._disturbance, 100) // 100
        power = reactive = apparent = 0
        if self._contact:  # the meter stays on the side of the mains, so the voltage stays
            power = self._load.power_mw(now)
            factor = self._load.power_factor(now)
            reactive = reactive_mvar(power, factor)
            apparent = abs(power) * 1000 // factor
        if self._disturbance == REVERSE:
            power, reactive = -power, -reactive
        self._power_mw = power
        current = (apparent * 1000 + voltage // 2) // voltage
        self.chip.set_phase(0, voltage, current, power, reactive)
        self.chip.set_mains(self._mains.frequency_mhz(now))
        self._until_ms = self._mains.next_change(now)
        load_change = self._load.next_change(now)
        if load_change is not None:
            self._until_ms = min(self._until_ms, load_change)

    def state(self):
        """Time, energies, chip and relay, as a dict of ints and lists for JSON."""
        return {
            "start_ms": self.start_ms,
            "time_ms": self.time_ms,
            "energy_uws": [self._import_uws, self._export_uws],
            "powered": self.powered,
            "relay": self.relay.state(),
            "chip": self.chip.state(),
        }

    def restore(self, state):
        """Go on where `state` was taken. The load and mains must be those of that world."""
        self.start_ms = state["start_ms"]
        self.time_ms = state["time_ms"]
        self._import_uws, self._export_uws = state["energy_uws"]
        self.powered = state.get("powered", True)  # worlds of before had no power cuts
        self.relay.restore(state["relay"])
        self.chip.restore(state["chip"])
        self._connect()
