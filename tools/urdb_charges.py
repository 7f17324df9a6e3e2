"""What a URDB rate charges beside energy: fixed, minimum, demand, and how export is settled."""

from fractions import Fraction
from typing import Any

from wattledger.tools.places import Path_
from wattledger.tools.urdb_reader import Reader

DAYS_OF_YEAR = 365
# A field of one of these charges something, or changes what is charged, and has no key here.
LEFT_OUT = (
    ("coincidentratestructure", "charges at the utility's own peak"),
    ("demandratchetpercentage", "charges by the demand of earlier months"),
    ("lookbackpercent", "charges by the demand of earlier months"),
    ("demandreactivepowercharge", "charges reactive power"),
    ("fueladjustmentsmonthly", "adjusts the price every month"),
    ("annualmincharge", "is a minimum of a year; a document's minimum is one of a cycle"),
)
NETS = {
    "Net Metering": "nets a whole month; the document nets each interval of the load profile",
    "Net Billing Hourly": "settles by the hour; the document settles as energy flows",
    "Buy All Sell All": "meters the generator apart; the document pays what leaves the house",
}
DEMAND_MINUTES = (15, 30, 60)


class Charges:
    """`standing_day` and `minimum` in micro-units, `demand` as the document has it, `net`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rate = reader.rate
        self.standing_day = self._fixed()
        self.minimum = self._minimum()
        self.demand = self._demand()
        self.net = self._net()
        for name, what in LEFT_OUT:
            if self._says(name):
                reader.note((name,), f"{what}: left out")

    def _says(self, name: str) -> bool:
        """True when a field is there and is not all zeros."""
        return _any_value(self._rate.get(name))

    def _fixed(self) -> int:
        """The fixed charge by the day; both spellings the format has had."""
        for name in ("fixedchargefirstmeter", "fixedmonthlycharge"):
            if not self._says(name):
                continue
            amount = self._reader.number(self._rate[name], (name,))
            unit = "$/month"
            if name == "fixedchargefirstmeter":
                unit = str(self._rate.get("fixedchargeunits", unit))
            return self._by_day(amount, unit, (name,))
        return 0

    def _by_day(self, amount: Fraction, unit: str, place: Path_) -> int:
        times = {"$/day": DAYS_OF_YEAR, "$/month": 12, "$/year": 1}.get(unit)
        if times is None:
            self._reader.note(place, f"a charge in {unit} cannot be expressed: left out")
            return 0
        if unit == "$/day":
            return self._reader.micro(amount, place)
        daily = round(amount * times * 10**6 / DAYS_OF_YEAR)
        self._reader.note(
            place,
            f"{float(amount):.10g} {unit} is charged by the day as {daily} micro-units, a 365th "
            "of the year's: months cost by their days, a leap year one day more",
        )
        return daily

    def _minimum(self) -> int:
        for name, units in (("minmonthlycharge", None), ("mincharge", "minchargeunits")):
            if not self._says(name):
                continue
            unit = "$/month" if units is None else self._rate.get(units, "$/month")
            if unit == "$/month":
                return self._reader.micro(self._reader.number(self._rate[name], (name,)), (name,))
            self._reader.note((name,), f"a minimum in {unit} cannot be expressed: left out")
        return 0

    def _demand(self) -> dict[str, int] | None:
        """The one demand price that a document can hold: flat and time-of-use parts together."""
        total = Fraction(0)
        for structure, part in (
            ("flatdemandstructure", self._flat_period()),
            ("demandratestructure", self._constant_period()),
        ):
            if self._says(structure):
                total += self._one_price(structure, part)
        if not total:
            return None
        minutes = self._rate.get("demandwindow", DEMAND_MINUTES[0])
        if minutes not in DEMAND_MINUTES:
            self._reader.note(("demandwindow",), f"{minutes} minutes do not fit; 15 are used")
            minutes = DEMAND_MINUTES[0]
        return {
            "minutes": minutes,
            "price": self._reader.micro(total, ("demandratestructure",)),
        }

    def _one_price(self, structure: str, period: int | None) -> Fraction:
        """The price per kW of a structure's only period; 0 with a note where there is not one."""
        tiers = self._reader.tiers(self._rate[structure], (structure,))
        if period is None:
            self._reader.note(
                (structure,), "demand has several prices by month or hour: left out of demand"
            )
            return Fraction(0)
        if period >= len(tiers):
            raise self._reader.error((structure,), f"has no period {period}; mend the rate")
        if len(tiers[period]) > 1:
            self._reader.note(
                (structure, period), "tiers of demand cannot be expressed: left out of demand"
            )
            return Fraction(0)
        place: Path_ = (structure, period, 0)
        unit = tiers[period][0].get("unit", self._rate.get("demandrateunit", "kW"))
        if unit != "kW":
            self._reader.note(place, f"demand in {unit} cannot be expressed: left out of demand")
            return Fraction(0)
        return self._reader.price(tiers[period][0], place)

    def _flat_period(self) -> int | None:
        """The period of every month, None when they differ."""
        if not self._says("flatdemandstructure"):
            return None
        months = self._rate.get("flatdemandmonths", [0] * 12)
        months = self._reader.listing(months, ("flatdemandmonths",), 12)
        return months[0] if len(set(map(str, months))) == 1 else None

    def _constant_period(self) -> int | None:
        """The period of every hour of the year, None when they differ."""
        if not self._says("demandratestructure"):
            return None
        found: set[int] = set()
        periods = len(self._reader.listing(self._rate["demandratestructure"], ()))
        for name in ("demandweekdayschedule", "demandweekendschedule"):
            for hours in self._reader.schedule(name, periods):
                found.update(hours)
        return found.pop() if len(found) == 1 else None

    def _net(self) -> bool:
        """True for net metering. What the document does otherwise is noted."""
        rules = self._rate.get("dgrules")
        if rules in NETS:
            self._reader.note(("dgrules",), f"{rules} {NETS[rules]}")
        return rules == "Net Metering"


def _any_value(value: Any) -> bool:
    """True when something in a JSON value is a number other than 0."""
    if isinstance(value, dict):
        return any(_any_value(item) for key, item in value.items() if key in ("rate", "adj"))
    if isinstance(value, list):
        return any(_any_value(item) for item in value)
    return isinstance(value, (int, float)) and value != 0
