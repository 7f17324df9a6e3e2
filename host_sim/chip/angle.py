"""Angles in integers, for front ends that turn the current. Portable."""

ONE = 1_000_000_000
_PI = 3_141_592_654


def sine(angle_mdeg):
    """The sine of any angle in 1/1000 degree, in 1e-9; right to 1e-8."""
    angle = angle_mdeg % 360_000
    sign = 1
    if angle >= 180_000:
        angle -= 180_000
        sign = -1
    if angle > 90_000:
        angle = 180_000 - angle
    radians = angle * _PI // 180_000
    square = radians * radians // ONE
    term = radians
    total = radians
    order = 1
    while term:
        order += 2
        term = -term * square // (ONE * order * (order - 1))
        if term == -1:  # the floor of a negative fraction, for ever
            break
        total += term
    return sign * total


def rotate(power_mw, reactive_mvar, angle_mdeg):
    """(power, reactive) of the same apparent power with the current `angle_mdeg` further behind.

    A negative angle is a current that leads by it.
    """
    cosine = sine(angle_mdeg + 90_000)
    turned = sine(angle_mdeg)
    return (
        _nearest(power_mw * cosine - reactive_mvar * turned),
        _nearest(power_mw * turned + reactive_mvar * cosine),
    )


def _nearest(value):
    return (value + ONE // 2) // ONE
