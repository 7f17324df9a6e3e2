"""The error of each chip's whole chain beside the limits of IEC 62053-21 class 1.

Sensors, chip and mains are simulated: what a figure says is what arithmetic, calibration and
resolution leave. Noise, drift, temperature and the non-linearity of real parts are not in it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from wattledger.tools.bench import adc_accuracy, drift, loads, subjects
from wattledger.tools.bench.loads import GRID, NO_LOAD_MV, Load
from wattledger.tools.bench.rows import Report, Row

LIMIT = "IEC 62053-21 class 1"
WANTED = "<= 0.2"
PERCENT = 1e-4  # of a ppm
# IEC 62053-21, 8.3.2: no pulse within 600 x 10^6 / (k m Un Imax) minutes; k of 3200 imp/kWh.
CREEP_MINUTES = 600 * 10**6 / (3200 * 230 * 60)
CREEP_WH = 1000 / 3200
CURVE_POINTS = 13
ADC = {"MCP3208": 0, "MCP3208, +-0.5 LSB of noise": adc_accuracy.DITHER}


def run(
    makers: Sequence[Callable[[], subjects.Subject]] = subjects.SUBJECTS,
    noises: Mapping[str, int] = ADC,
    years: float = drift.YEARS,
) -> Report:
    """Every point of every chip. BenchError."""
    rows: list[Row] = []
    worst: dict[str, Row] = {}
    curves: dict[str, list[tuple[int, float, float | None]]] = {}
    for make in makers:
        subject = make()
        found = _points(subject)
        rows += found
        worst[subject.name] = max(found, key=lambda row: row.ratio)
        curves[subject.name] = [
            (ma, *_both(subject.error_ppm, ma, subject.is_direct))
            for ma in _currents(subject.imax_ma)
        ]
    for name, noise in noises.items():
        found = _adc_points(name, noise)
        rows += found
        worst[name] = max(found, key=lambda row: row.ratio)
        error = partial(adc_accuracy.error_ppm, noise=noise)
        curves[name] = [(ma, *_both(error, ma, False)) for ma in _currents(loads.IMAX_MA)]
    rows += drift.drift_rows(years)
    return Report(
        "accuracy",
        "Energy error of the simulated chips after calibration, against the limit",
        rows,
        details={
            "worst": {
                name: {"ratio": round(row.ratio, 4), "at": row.name[len(name) + 1 :]}
                for name, row in worst.items()
            }
        },
        notes=[
            *(f"worst of the limit: {row.ratio:.3f}, {row.name}" for row in worst.values()),
            "simulated: noise, drift, temperature and non-linearity of real parts are not in it",
        ],
        curves=curves,
    )


def _points(subject: subjects.Subject) -> list[Row]:
    if subject.is_direct:
        return [
            _row(
                f"{subject.name} {load.current_ma / 1000:g} A of 48 V",
                subject.error_ppm(load),
                limit,
            )
            for load, limit, _ in loads.DIRECT
        ]
    name = subject.name
    grid = loads.grid(subject.imax_ma)
    rows = [_row(f"{name} {load}", subject.error_ppm(load), limit) for load, limit, _ in grid]
    for quantity, load, reference, limit in loads.influences(subject.imax_ma):
        change = subject.error_ppm(load) - subject.error_ppm(reference)
        rows.append(_row(f"{name} {quantity}", change, limit))
    if subject.phases == 3:
        rows += _polyphase(subject)
    start = Load(loads.START_MA)
    # It must start: what is asked at this current is that energy is registered, within half.
    rows.append(_row(f"{name} start at {start}", subject.error_ppm(start), 500_000))
    creep = subject.creep_wh(NO_LOAD_MV, round(CREEP_MINUTES * 60))
    rows.append(Row(f"{name} no load", creep, CREEP_WH, "Wh", LIMIT, WANTED))
    return rows


def _polyphase(subject: subjects.Subject) -> list[Row]:
    """One phase loaded; the phases' order reversed; a phase without voltage."""
    name = subject.name
    rows = [
        _row(f"{name} {load}, one phase", subject.error_ppm(load, (1,)), limit)
        for load, limit in loads.ONE_PHASE
    ]
    load, limit = loads.REVERSED_SEQUENCE
    change = subject.error_ppm(load, is_reversed=True) - subject.error_ppm(load)
    rows.append(_row(f"{name} reversed phase sequence", change, limit))
    load, limit = loads.PHASE_INTERRUPTED
    change = subject.error_ppm(load, (0, 1), is_interrupted=True) - subject.error_ppm(load)
    rows.append(_row(f"{name} a phase interrupted", change, limit))
    return rows


def _adc_points(name: str, noise: int) -> list[Row]:
    return [
        _row(f"{name} {load}", adc_accuracy.error_ppm(load, noise), limit)
        for load, limit, _ in GRID
    ]


def _row(name: str, ppm: float, limit_ppm: float) -> Row:
    return Row(name, abs(ppm) * PERCENT, limit_ppm * PERCENT, "%", LIMIT, WANTED)


def _currents(imax_ma: int) -> list[int]:
    """mA from the starting current on, evenly on a logarithmic scale."""
    first = loads.START_MA
    step = (imax_ma / first) ** (1 / (CURVE_POINTS - 1))
    return [round(first * step**index) for index in range(CURVE_POINTS)]


def _both(
    error_ppm: Callable[[Load], float], ma: int, is_direct: bool
) -> tuple[float, float | None]:
    """Errors at unity and, from 0.05 Ib on, at 0.5 inductive."""
    if is_direct:
        return error_ppm(Load(ma, voltage_mv=loads.DIRECT_MV)), None
    return error_ppm(Load(ma)), error_ppm(Load(ma, 500)) if ma >= loads.IB_MA // 20 else None
