"""Appliances a household can have, by name: what each does when it runs, and when people use it.

Times are local minutes of the day between which an appliance is started; chance is in 1/100 a day.
`PLAIN` are those every simulated home has unless it is told otherwise. The numbers place them in
the seed's noise and never change.
"""


class Appliance:
    """One row of the tables below."""

    def __init__(self, number, phases, start, length, chance):
        self.number = number
        self.phases = phases  # (watts, power factor, share of the length in 1/100)
        self.start = start  # between two minutes of the day
        self.length = length  # minutes of use, between two
        self.chance = chance


def _plain(number, watts, factor, start, length, chance):
    return Appliance(number, ((watts, factor, 100),), start, length, chance)


_WASHING = ((2000, 1000, 25), (150, 650, 60), (450, 750, 15))  # heat, tumble, spin
_DISHES = ((80, 700, 15), (1900, 1000, 20), (80, 700, 40), (1900, 1000, 15), (20, 600, 10))

PLAIN = {
    "morning lights": _plain(0, 90, 950, (361, 367), (60, 90), 100),
    "breakfast kettle": _plain(1, 2000, 1000, (372, 384), (3, 4), 100),
    "morning water heater": _plain(2, 1500, 1000, (388, 400), (25, 35), 100),
    "breakfast hob": _plain(3, 1800, 990, (402, 415), (10, 14), 100),
    "forenoon kettle": _plain(4, 2000, 1000, (600, 640), (3, 4), 60),
    "washing machine": Appliance(5, _WASHING, (600, 900), (50, 70), 35),
    "lunch hob": _plain(6, 1800, 990, (690, 710), (20, 30), 50),
    "evening kettle": _plain(7, 2000, 1000, (1020, 1050), (3, 4), 100),
    "evening lights": _plain(8, 90, 950, (1075, 1095), (240, 270), 100),
    "rice cooker": _plain(9, 700, 1000, (1076, 1086), (30, 35), 100),
    "supper hob": _plain(10, 1800, 990, (1088, 1105), (30, 45), 100),
    "television": _plain(11, 130, 650, (1150, 1170), (150, 200), 100),
    "heat pump": _plain(12, 850, 920, (1171, 1200), (90, 150), 100),
    "late kettle": _plain(13, 2000, 1000, (1215, 1260), (3, 4), 70),
    "evening water heater": _plain(14, 1500, 1000, (1285, 1310), (55, 80), 100),
}
EXTRA = {
    "dishwasher": Appliance(20, _DISHES, (1230, 1290), (90, 120), 80),
    "tumble dryer": _plain(21, 2400, 980, (840, 1020), (60, 90), 30),
    "oven": _plain(22, 2200, 1000, (1060, 1090), (35, 60), 40),
    "air conditioner": _plain(23, 1100, 900, (780, 840), (240, 360), 100),
    "electric car": _plain(24, 3600, 990, (1330, 1400), (120, 240), 60),
}
NAMES = tuple(PLAIN) + tuple(EXTRA)
