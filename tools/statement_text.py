"""A statement as text in a terminal."""

from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.tools import output
from wattledger.tools import statement as statements
from wattledger.tools.statement import Found
from wattledger.tools.statement_words import Words

OF_CYCLES = (records.DEMAND, records.MINIMUM, records.ADJUST)  # their reference is a date


def show(found: Found, words: Words) -> None:
    """Print the statement."""
    source, total = found.source, found.total
    start, until = (source.instant(at) or "-" for at in found.span())
    print(f"{words['title']}  {words['meter']} {source.meter}")
    print(f"{start} {words['to']} {until}\n")
    rows = [(words["opening_balance"], total.opening), *statements.sums(found, words)]
    rows.append((words["closing_balance"], total.closing))
    money = [(name, output.money(amount, source.currency)) for name, amount in rows]
    output.table(words["how"], ["", ">"], money)
    if found.statement.first is None:
        print(f"\n{words['empty']}")
    _show_bands(found, words)
    _show_days(found, words)
    _show_postings(found, words)
    _show_cuts(found, words)
    for remark in statements.remarks(found, words):
        print(f"* {remark}")
    print(closing_line(found, words))


def closing_line(found: Found, words: Words) -> str:
    """Whether the lines add up, and which entries they come from."""
    total = found.total
    exact = total.explained() == total.closing - total.opening
    text = words["exact" if exact else "differs"]
    if found.head:
        first, last = found.statement.first, found.statement.last
        text += "\n" + words["source"].format(first=first, last=last, head=found.head.hex())
    return text


def _show_bands(found: Found, words: Words) -> None:
    lines = found.total.lines()
    if not lines:
        return
    print()
    output.table(
        words["by_band"],
        [words["version"] + ">", words["bands"], words["block"] + ">", "kWh>"]
        + [words["price"] + ">", words["amount"] + ">"],
        [
            (
                str(line.n),
                statements.line_name(found, words, line),
                "" if line.is_export() else str(line.block + 1),
                statements.kwh(line.wh),
                words["several"] if line.price is None else output.price(line.price),
                output.money(line.amount),
            )
            for line in lines
        ],
    )


def _show_days(found: Found, words: Words) -> None:
    if not found.told.days:
        return
    print()
    has_export = bool(found.total.export_wh)
    columns = [words["date"], "kWh>", words["import"] + ">"]
    if has_export:
        columns += [words["energy_exported"] + ">", words["exports"] + ">"]
    columns += [words["standing"] + ">", words["other"] + ">", words["balance"] + ">"]
    rows = []
    for day in found.told.days:
        imported, exported = day.energy()
        cells = [statements.date_text(day.day), statements.kwh(day.import_wh)]
        cells.append(output.money(imported))
        if has_export:
            cells += [statements.kwh(day.export_wh), output.money(exported)]
        for amount in (statements.standing(day), statements.paid_in(day)):
            cells.append(output.money(amount) if amount else "")
        rows.append([*cells, output.money(day.closing)])
    output.table(words["by_day"], columns, rows)


def _show_postings(found: Found, words: Words) -> None:
    if not found.told.postings:
        return
    print()
    output.table(
        words["postings"],
        [words["time"], words["what"], words["amount"] + ">", words["balance"] + ">"],
        [
            (
                str(found.source.instant(posting.time)),
                posting_text(posting, words),
                output.money(posting.amount),
                output.money(posting.balance),
            )
            for posting in found.told.postings
        ],
    )


def posting_text(posting: statements.Posting, words: Words) -> str:
    """What a record is, with its purchase number or the billing cycle it is for."""
    name = words.kind(posting.code, one=True)
    if posting.code in OF_CYCLES and posting.reference:
        date = f"{posting.reference // 10000:04d}-{posting.reference // 100 % 100:02d}"
        return f"{name}, {words['cycle']} {date}-{posting.reference % 100:02d}"
    return f"{name}, {words['reference']} {posting.reference}" if posting.reference else name


def reasons_text(cut: statements.Cut, words: Words) -> str:
    """Why the supply was off, strongest reason first."""
    cause = rules.CAUSES.get(cut.cause, str(cut.cause))
    names = rules.names(cut.reasons) or [cause]
    return ", ".join(words.reason(name) for name in names)


def _show_cuts(found: Found, words: Words) -> None:
    if not found.told.cuts:
        return
    print()
    instant = found.source.instant
    rows = []
    for cut in found.told.cuts:
        closed = cut.closed is not None
        rows.append(
            (
                str(instant(cut.opened)),
                str(instant(cut.closed)) if closed else words["still_off"],
                statements.duration(cut.closed - cut.opened) if closed else "",
                reasons_text(cut, words),
                exhausted_text(found, cut, words),
                output.money(cut.balance),
            )
        )
    output.table(
        words["cuts"],
        [
            words["cut_off"],
            words["cut_on"],
            words["lasted"],
            words["reason"],
            "",
            words["balance"] + ">",
        ],
        rows,
    )


def exhausted_text(found: Found, cut: statements.Cut, words: Words) -> str:
    """When the credit had run out before a cut, and what was available then."""
    if cut.exhausted is None:
        return ""
    at, available = cut.exhausted
    return (
        f"{words['exhausted']} {found.source.instant(at)}, "
        f"{words['available']} {output.price(available)}"
    )
