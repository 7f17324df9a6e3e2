"""The label on a meter: what a person there needs, as text and as SVG with a QR code.

It says who the meter is and how its display is unlocked, and nothing that signs or opens anything
else: labels are photographed.
"""

from html import escape

WIDTH = 380
LINE = 24


def qr_text(tenant: str, meter: str, pin: str) -> str:
    """What the QR code holds: fields with a letter each, in the order of the label."""
    return f"WL1;T:{tenant};M:{meter};P:{pin}"


def lines(tenant: str, meter: str, pin: str, support: str) -> list[str]:
    """The label's lines."""
    found = [f"Meter  {meter}", f"Utility  {tenant}", f"Display PIN  {pin[:4]} {pin[4:]}"]
    return [*found, support] if support else found


def text(tenant: str, meter: str, pin: str, support: str) -> str:
    """The label as text."""
    return "\n".join([*lines(tenant, meter, pin, support), qr_text(tenant, meter, pin), ""])


def svg(tenant: str, meter: str, pin: str, support: str) -> str:
    """The label as SVG: its lines beside the QR code (ISO/IEC 18004, level M)."""
    import segno  # [tools]; nothing else here needs it

    code = segno.make(qr_text(tenant, meter, pin), error="m", micro=False)
    scale = 4
    side = code.symbol_size(scale=scale, border=4)[0]
    height = max(side, LINE * 5)
    shown = "\n".join(
        f'<text x="{side + 12}" y="{LINE * (row + 1) + 8}">{escape(line)}</text>'
        for row, line in enumerate(lines(tenant, meter, pin, support))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side + WIDTH} {height}" '
        f'font-family="sans-serif" font-size="16">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n'
        f"{code.svg_inline(scale=scale, border=4)}\n{shown}\n</svg>\n"
    )
