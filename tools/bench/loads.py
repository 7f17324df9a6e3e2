"""Load points of an accuracy test, and the limits of IEC 62053-21 for a direct connected meter.

Limits are in ppm of the energy. Class 1 where a table has no class: what the docs call its limit.
Sources: IEC 62053-21:2003, tables 6 (load), 7 (one phase of a polyphase meter), 8 (influences).
A board's highest current is its own: a plug has 16 A, and Ib is 5 A for all, so that they compare.
"""

from dataclasses import dataclass, replace
from math import isqrt

NOMINAL_MV = 230_000
IB_MA = 5_000
IMAX_MA = 60_000
START_MA = IB_MA * 4 // 1000  # 0.004 Ib, class 1
NO_LOAD_MV = NOMINAL_MV * 115 // 100


@dataclass(frozen=True)
class Load:
    """A load point. `factor` is in 1/1000, negative for a leading current; `harmonic` is (order,
    permille of the voltage, permille of the current), in phase at the zero crossing."""

    current_ma: int
    factor: int = 1000
    voltage_mv: int = NOMINAL_MV
    frequency_mhz: int = 50_000
    harmonic: tuple[int, int, int] | None = None

    def powers(self) -> tuple[int, int]:
        """(mW, mvar) of the fundamental."""
        apparent = self.voltage_mv * self.current_ma // 1000
        power = apparent * abs(self.factor) // 1000
        reactive = isqrt(max(apparent**2 - power**2, 0))
        return power, -reactive if self.factor < 0 else reactive

    def at_terminals(self) -> tuple[int, int, int, int]:
        """(mV, mA, mW, mvar) with the harmonic in them; reactive is of the fundamental."""
        power, reactive = self.powers()
        if self.harmonic is None:
            return self.voltage_mv, self.current_ma, power, reactive
        _, voltage, current = self.harmonic
        return (
            self.voltage_mv * isqrt(10**12 + voltage**2 * 10**6) // 10**6,
            self.current_ma * isqrt(10**12 + current**2 * 10**6) // 10**6,
            power + power * voltage * current // 10**6,
            reactive,
        )

    def __str__(self) -> str:
        kind = " lead" if self.factor < 0 else " lag" if self.factor < 1000 else ""
        return f"{self.current_ma / 1000:g} A, {abs(self.factor) / 1000:g}{kind}"


# Of a polyphase meter with a load on one phase only.
ONE_PHASE = ((Load(IB_MA // 10), 20_000), (Load(IB_MA), 20_000), (Load(IB_MA // 5, 500), 20_000))
REVERSED_SEQUENCE = (Load(IB_MA // 10), 15_000)  # the change of error
PHASE_INTERRUPTED = (Load(IB_MA), 20_000)  # "voltage unbalance": the third phase has no voltage


def grid(imax_ma: int) -> tuple[tuple[Load, int, int], ...]:
    """(load, class 1, class 2) up to this highest current; 0 where the standard gives none."""
    return (
        (Load(IB_MA // 20), 15_000, 25_000),
        (Load(IB_MA // 10), 10_000, 20_000),
        (Load(IB_MA), 10_000, 20_000),
        (Load(imax_ma // 2), 10_000, 20_000),
        (Load(imax_ma), 10_000, 20_000),
        (Load(IB_MA // 10, 500), 15_000, 25_000),
        (Load(IB_MA // 10, -800), 15_000, 0),
        (Load(IB_MA // 5, 500), 10_000, 20_000),
        (Load(IB_MA // 5, -800), 10_000, 0),
        (Load(IB_MA, 500), 10_000, 20_000),
        (Load(IB_MA, -800), 10_000, 0),
        (Load(imax_ma, 500), 10_000, 20_000),
        (Load(imax_ma, -800), 10_000, 0),
    )


def influences(imax_ma: int) -> tuple[tuple[str, Load, Load, int], ...]:
    """(quantity, load under it, load at reference conditions, most that the error may change)."""
    high, low = NOMINAL_MV * 11 // 10, NOMINAL_MV * 9 // 10
    unity, half = Load(IB_MA), Load(IB_MA, 500)
    distorted = Load(imax_ma // 2)
    return (
        ("voltage -10 %", replace(unity, voltage_mv=low), unity, 7_000),
        ("voltage +10 %", replace(unity, voltage_mv=high), unity, 7_000),
        ("voltage -10 %, 0.5 lag", replace(half, voltage_mv=low), half, 10_000),
        ("voltage +10 %, 0.5 lag", replace(half, voltage_mv=high), half, 10_000),
        ("frequency -2 %", replace(unity, frequency_mhz=49_000), unity, 5_000),
        ("frequency +2 %", replace(unity, frequency_mhz=51_000), unity, 5_000),
        ("frequency -2 %, 0.5 lag", replace(half, frequency_mhz=49_000), half, 7_000),
        ("frequency +2 %, 0.5 lag", replace(half, frequency_mhz=51_000), half, 7_000),
        ("5th harmonic", replace(distorted, harmonic=(5, 100, 400)), distorted, 8_000),
    )


GRID = grid(IMAX_MA)
INFLUENCES = influences(IMAX_MA)
# A direct current has no standard here: the currents of the grid at unity, for comparison.
DIRECT_MV = 48_000
DIRECT = tuple(
    (replace(load, voltage_mv=DIRECT_MV), limit, 0)
    for load, limit, _ in GRID
    if load.factor == 1000
)


def limit_ppm(current_ma: float, is_lagging: bool = False) -> float:
    """Class 1 over all currents, at unity or 0.5 inductive, so that a curve can be drawn.

    Below 0.05 Ib it grows as 1/I down to the starting current (OIML R 46).
    """
    if is_lagging:
        return 10_000 if current_ma >= IB_MA // 5 else 15_000
    if current_ma >= IB_MA // 10:
        return 10_000
    return 15_000 * max(1, IB_MA / 20 / current_ma)
