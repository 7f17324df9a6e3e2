"""A statement as one HTML file for screen and paper: no script, nothing from outside."""

from html import escape
from pathlib import Path

from wattledger.tools import output, statement_chart
from wattledger.tools import statement as statements
from wattledger.tools import statement_cells as cells
from wattledger.tools.statement import Found
from wattledger.tools.statement_text import closing_line, posting_text, reasons_text
from wattledger.tools.statement_words import Words

STYLE = Path(__file__).parent / "data" / "statement.css"
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" '
    'fill="#0b5a44"/><path d="M17.6 4.5 8.4 18h5.9l-1.9 9.5L22.6 13h-6.2z" fill="#fff"/></svg>'
)


def page(found: Found, words: Words) -> str:
    """The whole document."""
    title = escape(f"{words['title']} {found.source.meter}")
    body = "".join(
        (
            _header(found, words),
            _hero(found, words),
            _sums(found, words),
            _chart(found, words),
            _bands(found, words),
            _days(found, words),
            _postings(found, words),
            _cuts(found, words),
            _notes(found, words),
            _footer(found, words),
        )
    )
    return (
        f'<!doctype html>\n<html lang="{words.language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _header(found: Found, words: Words) -> str:
    source = found.source
    facts = [
        (words["meter"], source.meter),
        (words["currency"], source.currency or words["unknown"]),
    ]
    shown = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    start, until = (statements.minute(source.instant(at)) for at in found.span())
    return (
        f'<header>\n<div><div class="brand">{MARK}Wattledger</div>\n'
        f"<h1>{escape(words['title'])}</h1></div>\n"
        f'<dl class="facts">{shown}<dt>{escape(words["period"])}</dt>'
        f"<dd>{start}<br>{escape(words['to'])} {until}</dd></dl>\n</header>\n"
    )


def _hero(found: Found, words: Words) -> str:
    total = found.total
    charged = sum(total.energy()) + statements.standing(total)
    figures = (
        (words["closing_balance"], _short(total.closing), found.source.currency),
        (words["opening_balance"], _short(total.opening), ""),
        (words["energy_used"], statements.kwh(total.import_wh), "kWh"),
        (words["charged" if charged <= 0 else "earned"], _short(abs(charged)), ""),
    )
    shown = "".join(
        f"<div><span>{escape(name)}</span><b>{value}<i>{escape(unit)}</i></b></div>"
        for name, value, unit in figures
    )
    return f'<div class="hero">{shown}</div>\n'


def _sums(found: Found, words: Words) -> str:
    total = found.total
    rows = [(words["opening_balance"], total.opening), *statements.sums(found, words)]
    rows.append((words["closing_balance"], total.closing))
    body = cells.rows([[cells.text(name), cells.money(amount)] for name, amount in rows])
    return cells.section(words["how"], f'<table class="sums"><tbody>{body}</tbody></table>')


def _colours(found: Found) -> dict[tuple[int, int], str]:
    """(tariff n, band) -> colour, cheapest first; the same name has the same colour."""
    prices: dict[tuple[int, int], int] = {}
    for line in found.total.lines():
        if not line.is_export():
            key = (line.n, line.band())
            cost = -line.amount * 1000 // line.wh if line.wh else 0
            prices[key] = min(cost, prices.get(key, cost))
    order = sorted(prices, key=lambda key: (prices[key], key))
    names: list[object] = []
    for n, band in order:
        name = found.band_name(n, band) or band
        if name not in names:
            names.append(name)
    spread = statement_chart.spread(len(names))
    return {(n, band): spread[names.index(found.band_name(n, band) or band)] for n, band in order}


def _chart(found: Found, words: Words) -> str:
    colours = _colours(found)
    if not colours:
        return ""
    legend: dict[str, str] = {}
    for (n, band), colour in colours.items():
        name = found.band_name(n, band) or f"{words['band']} {band}"
        legend[output.printable(name)] = colour
    keys = "".join(f"<span>{cells.swatch(legend[name])}{escape(name)}</span>" for name in legend)
    drawn = statement_chart.svg(found.told.days, list(colours.items()), words["chart"])
    figure = f"<figure>{drawn}<figcaption>{keys}</figcaption></figure>"
    return cells.section(words["chart"], figure)


def _bands(found: Found, words: Words) -> str:
    colours = _colours(found)
    rows = []
    for line in found.total.lines():
        export = line.is_export()
        colour = statement_chart.EXPORTED if export else colours[line.n, line.band()]
        price = words["several"] if line.price is None else output.price(line.price)
        rows.append(
            [
                cells.Cell(
                    cells.swatch(colour) + escape(statements.line_name(found, words, line))
                ),
                cells.number("" if export else str(line.block + 1)),
                cells.number(str(line.n)),
                cells.number(statements.kwh(line.wh)),
                cells.number(price),
                cells.money(line.amount),
            ]
        )
    columns = [words["bands"], words["block"], words["version"], "kWh"]
    columns += [words["price"], words["amount"]]
    return cells.table(words["by_band"], columns, rows)


def _days(found: Found, words: Words) -> str:
    has_export = bool(found.total.export_wh)
    columns = [words["date"], "kWh", words["import"]]
    if has_export:
        columns += [words["energy_exported"], words["exports"]]
    columns += [words["standing"], words["other"], words["balance"]]
    rows = []
    for day in found.told.days:
        imported, exported = day.energy()
        row = [
            cells.text(statements.date_text(day.day)),
            cells.number(statements.kwh(day.import_wh)),
        ]
        row.append(cells.money(imported))
        if has_export:
            row += [cells.number(statements.kwh(day.export_wh)), cells.money(exported)]
        for amount in (statements.standing(day), statements.paid_in(day)):
            row.append(cells.money(amount) if amount else cells.number(""))
        rows.append([*row, cells.money(day.closing)])
    return cells.table(words["by_day"], columns, rows)


def _postings(found: Found, words: Words) -> str:
    rows = [
        [
            cells.text(statements.minute(found.source.instant(posting.time))),
            cells.text(posting_text(posting, words)),
            cells.number(str(posting.sequence)),
            cells.money(posting.amount),
            cells.money(posting.balance),
        ]
        for posting in found.told.postings
    ]
    columns = [words["time"], words["what"], words["entry"], words["amount"], words["balance"]]
    return cells.table(words["postings"], columns, rows)


def _cuts(found: Found, words: Words) -> str:
    rows = []
    instant = found.source.instant
    for cut in found.told.cuts:
        lasted = "" if cut.closed is None else statements.duration(cut.closed - cut.opened)
        closed = (
            words["still_off"] if cut.closed is None else statements.minute(instant(cut.closed))
        )
        why = escape(reasons_text(cut, words))
        if cut.exhausted is not None:
            at, available = cut.exhausted
            why += (
                f"<br>{escape(words['exhausted'])} {statements.minute(instant(at))}, "
                f"{escape(words['available'])} {output.price(available).replace('-', '−')}"
            )
        rows.append(
            [
                cells.text(statements.minute(instant(cut.opened))),
                cells.text(closed),
                cells.number(lasted),
                cells.Cell(why),
                cells.money(cut.balance),
            ]
        )
    columns = [words["cut_off"], words["cut_on"], words["lasted"], words["reason"]]
    return cells.table(words["cuts"], [*columns, words["balance"]], rows)


def _notes(found: Found, words: Words) -> str:
    said = statements.remarks(found, words)
    if found.statement.first is None:
        said.insert(0, words["empty"])
    if not said:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in said)
    return cells.section(words["notes"], f'<ul class="notes">{items}</ul>')


def _footer(found: Found, words: Words) -> str:
    lines = closing_line(found, words).split("\n")
    rest = "".join(f"<br>{escape(line)}" for line in lines[1:])
    return f"<footer><strong>{escape(lines[0])}</strong>{rest}</footer>\n"


def _short(nano: int) -> str:
    """Two decimals, the nearest below, for the headline figures."""
    return output.money(nano // 10**7 * 10**7).replace("-", "−")
