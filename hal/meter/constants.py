"""Calibration constants of a phase, held against the table of the driver that takes them."""

from wattledger.hal.errors import ChipError


def values(table, given):
    """The constants of one phase in the order of `table`, nominal where `given` (dict) has none.

    `table` holds (name, nominal, lowest, highest). ChipError at stage "calibration" names what is
    wrong with a name or a value.
    """
    found = []
    for name, nominal, lowest, highest in table:
        value = given.get(name, nominal)
        if type(value) is not int or not lowest <= value <= highest:
            raise ChipError(
                "%s must be a whole number from %d to %d, is %r" % (name, lowest, highest, value),
                "calibration",
            )
        found.append(value)
    known = [row[0] for row in table]
    for name in given:
        if name not in known:
            raise ChipError(
                "%s is no constant of this chip; remove it: there are %s"
                % (name, ", ".join(known)),
                "calibration",
            )
    return found


def named(table, given):
    """{name: constant} of one phase, as `values`."""
    found = values(table, given)
    return {row[0]: found[at] for at, row in enumerate(table)}
