"""Views as a meter makes them, for what is shown on small screens: one for each state."""

CURRENCY = "CNY"
NOW = 1798733100  # 2026-12-31 16:05 UTC, 00:05 of 2027-01-01 at UTC+8


def view(**changes):
    """A meter with money, a tariff and a link; `changes` replace keys of the view."""
    found = {
        "meter": "wl-000123",
        "time": NOW,
        "trust": "synced",
        "utc_offset_s": 28800,
        "currency": CURRENCY,
        "quality": "ok",
        "power_mw": 1240000,
        "cost_per_hour_micro": 768800,
        "available_micro": 86423900,
        "balance_micro": 86500000,
        "zone": "normal",
        "days_left": 12,
        "rate": {
            "band": "peak",
            "block": 2,
            "blocks": 3,
            "price_micro": 620000,
            "export_micro": 350000,
            "block_left_wh": 380500,
            "fallback": False,
        },
        "next": {"time": NOW + 7800, "band": "flat", "price_micro": 520000},
        "supply": supply(),
        "emergency": {"offered": False, "accepted": False, "limit_micro": 10000000},
        "friendly": {"now": False, "until": None},
        "today_wh": 4321,
        "today_micro": 2679020,
        "cycle_cost_micro": 123456789,
        "import_wh": 12345678,
        "export_wh": 0,
        "link": True,
        "purchases": [
            {"time": NOW - 86400, "amount_micro": 50000000, "n": 7},
            {"time": NOW - 30 * 86400, "amount_micro": 100000000, "n": 6},
        ],
        "messages": [],
        "token": token(),
        "tariff": {"id": "demo-cn", "n": 7},
        "alarms": [],
    }
    found.update(changes)
    return found


def supply(**changes):
    """The supply's part of a view: connected, nothing near."""
    found = {
        "state": "connected",
        "reasons": [],
        "reason": None,
        "since": NOW - 3600,
        "restore_micro": 0,
        "cut_in_s": None,
        "time_left_s": None,
        "remote_in_s": None,
        "hold_ms": 0,
        "wait_s": 0,
        "closes_in_s": None,
    }
    found.update(changes)
    return found


def token(**changes):
    """The keypad's part of a view: nobody at it."""
    found = {"typed": "", "busy": False, "result": None, "name": None, "detail": "", "wait_s": 0}
    found.update(changes)
    return found


def off(**changes):
    """Cut for want of credit a minute ago."""
    told = {"state": "disconnected", "reason": "no credit", "reasons": ["no credit"]}
    told.update({"restore_micro": 1234001, "since": NOW - 60})
    told.update(changes)
    return view(supply=supply(**told), zone="zero", available_micro=-234001, power_mw=0)


OFFERED = {"offered": True, "accepted": False, "limit_micro": 10000000}
MESSAGE = {"time": NOW - 7200, "text": "Works in your street on Monday from 9 to 12: no power."}
HOURS = (220, 180, 150, 140, 160, 310, 820, 1240, 640, 400, 380, 510, 930, 700, 420, 390, 450)


def states():
    """(name, page or None for what comes unasked, view, index of the alert) of every screen."""
    return (
        ("home", "home", view(), 0),
        ("home-owed", "home", view(available_micro=-4200000, days_left=0), 0),
        ("home-learning", "home", view(days_left=None, messages=[MESSAGE]), 0),
        ("home-unknown", "home", view(available_micro=None, balance_micro=None, rate=None), 0),
        ("home-rich", "home", view(available_micro=123456789012, days_left=365), 0),
        ("price", "price", view(), 0),
        ("price-fallback", "price", view(next=None, rate=dict(view()["rate"], fallback=True)), 0),
        ("block", "block", view(), 0),
        ("power", "power", view(), 0),
        (
            "power-export",
            "power",
            view(power_mw=-850000, cost_per_hour_micro=-297500, export_wh=2345678),
            0,
        ),
        ("power-none", "power", view(power_mw=None, cost_per_hour_micro=None, quality="stale"), 0),
        ("today", "today", view(), 0),
        ("chart", "chart", view(), 0),
        ("export", "export", view(export_wh=2345678), 0),
        ("top-ups", "top_ups", view(), 0),
        ("token-empty", "token", view(), 0),
        ("token-typing", "token", view(token=token(typed="123456789012")), 0),
        ("token-full", "token", view(token=token(typed="12345678901234567890")), 0),
        ("token-busy", "token", view(token=token(busy=True)), 0),
        ("token-taken", "token", view(token=token(result=1)), 0),
        ("token-refused", "token", view(token=token(result=13)), 0),
        ("token-locked", "token", view(token=token(result=15, wait_s=320)), 0),
        ("message", "message", view(messages=[MESSAGE]), 0),
        ("message-far", "message", view(messages=[{"time": NOW, "text": "\u505c\u7535"}]), 0),
        ("meter", "meter", view(), 0),
        ("state", "state", view(link=False, trust="restored"), 0),
        ("low1", None, view(zone="low1", available_micro=19990000), 0),
        ("low2", None, view(zone="low2", available_micro=4990000, emergency=OFFERED), 0),
        ("offer", None, view(zone="low2", available_micro=4990000, emergency=OFFERED), 1),
        ("emergency", None, view(zone="emergency", available_micro=-3210000), 0),
        (
            "zero-friendly",
            None,
            view(zone="zero", available_micro=-100, friendly={"now": True, "until": NOW + 36000}),
            0,
        ),
        ("going-off", None, view(available_micro=990000, supply=supply(cut_in_s=290)), 0),
        ("going-off-remote", None, view(supply=supply(remote_in_s=900)), 0),
        ("off-credit", None, off(), 0),
        ("off-load", None, off(reason="load limit", restore_micro=0, closes_in_s=240), 0),
        ("off-remote", None, off(reason="remote", restore_micro=0), 0),
        ("ready", None, view(supply=supply(state="ready")), 0),
        ("ready-held", None, view(supply=supply(state="ready", hold_ms=1700)), 0),
        ("ready-rest", None, view(supply=supply(state="ready", wait_s=45)), 0),
        ("alarm", None, view(alarms=["relay"]), 0),
    )
