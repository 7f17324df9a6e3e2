"""A statement as JSON: amounts as they move the balance, in nano-units; blocks from 0."""

from typing import Any

from wattledger.agent import events
from wattledger.agent.billing.totals import Totals
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.agent.units import micro_of
from wattledger.tools.period import line_json
from wattledger.tools.statement import Found, date_text

FORM = 1  # rises when a key changes its meaning


def report(found: Found) -> dict[str, Any]:
    """What `statement --format json` prints."""
    source, told, total = found.source, found.told, found.total
    instant = source.instant
    return {
        "form": FORM,
        **source.as_json(found.asked),
        "first_sequence": found.statement.first,
        "last_sequence": found.statement.last,
        "head_hash": found.head.hex() if found.head else None,
        **_totals(found, total),
        "opening_micro": micro_of(total.opening),
        "closing_micro": micro_of(total.closing),
        "fallback": {"wh": total.fallback_wh, "amount_nano": total.fallback_amount},
        "estimated": {"intervals": total.estimated, "wh": total.estimated_wh},
        "tariffs": [
            {"n": n, "sha256": digest.hex(), "named": source.document(digest) is not None}
            for n, digest in sorted(found.statement.versions.items())
        ],
        "days": [
            {"date": date_text(day.day), **_totals(found, day)} for day in told.days
        ],
        "postings": [
            {
                "sequence": posting.sequence,
                "kind": records.KINDS[posting.code],
                "time": instant(posting.time),
                "reference": posting.reference or None,
                "amount_nano": posting.amount,
                "balance_nano": posting.balance,
            }
            for posting in told.postings
        ],
        "cuts": [
            {
                "sequence": cut.sequence,
                "opened": instant(cut.opened),
                "closed": instant(cut.closed),
                "reasons": rules.names(cut.reasons),
                "cause": rules.CAUSES.get(cut.cause, str(cut.cause)),
                "balance_nano": cut.balance,
                "credit_exhausted": instant(cut.exhausted[0]) if cut.exhausted else None,
                "available_micro": cut.exhausted[1] if cut.exhausted else None,
                "openings": cut.openings,
            }
            for cut in told.cuts
        ],
        "gaps": [
            {"from": instant(gap.start), "to": instant(gap.end), "meter_off": gap.restarted}
            for gap in told.gaps
        ],
        "events": {events.NAMES.get(code, str(code)): told.events[code] for code in told.events},
    }  # fmt: skip


def _totals(found: Found, totals: Totals) -> dict[str, Any]:
    imported, exported = totals.energy()
    return {
        "opening_nano": totals.opening,
        "closing_nano": totals.closing,
        "change_nano": totals.closing - totals.opening,
        "explained_nano": totals.explained(),
        "import_wh": totals.import_wh,
        "export_wh": totals.export_wh,
        "uncharged_wh": totals.uncharged_wh,
        "import_nano": imported,
        "export_nano": exported,
        "posted": {
            records.KINDS[kind]: {"entries": count, "amount_nano": amount}
            for kind, (count, amount) in sorted(totals.posted.items())
        },
        "lost_nano": totals.lost,
        "lines": [
            line_json(found.source, found.statement.versions, line) for line in totals.lines()
        ],
    }
