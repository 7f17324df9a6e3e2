"""What an alert says, in English and Chinese."""

from wattledger.agent.display import notices
from wattledger.agent.units import MICRO_PER_UNIT

LANGUAGES = ("en", "zh")
TAMPERS = 14  # kinds of agent/events.py from 100 on; bit 0 is 100

EN = {
    "low1": "Credit is getting low",
    "low2": "Credit is very low",
    "cut_soon": "Power will be cut soon",
    "cut": "Power is cut",
    "ready": "Power may be switched on",
    "restored": "Power is back",
    "tamper": "The meter reports tampering",
    "message": "Message from the utility",
    "test": "Test alert",
    "left": "%s left.",
    "days": "That lasts about %d days.",
    "day": "That lasts less than a day.",
    "in": "In about %d minutes.",
    "why": "Reason: %s.",
    "pay": "Pay at least %s.",
    "hold": "Hold the button at the meter for 3 seconds.",
    "on": "The supply is on.",
    "top up": "Please top up.",
    "look": "Please have it looked at: %s.",
    "sent": "Alerts of this meter arrive here.",
    "meter": "Meter %s",
    "safety": "voltage or temperature",
    "no credit": "no credit",
    "time is up": "the paid time is up",
    "load limit": "too much load",
    "remote": "the utility opened it",
    "tampers": {
        0: "reverse current",
        1: "current without voltage",
        7: "phase and neutral differ",
        8: "cover open",
        9: "magnet",
        10: "frozen registers",
        11: "energy through an open relay",
    },
    "other": "see the meter",
    "comma": ", ",
    "space": " ",
}
ZH = {
    "low1": "电费余额偏低",
    "low2": "电费余额不足",
    "cut_soon": "即将停电",
    "cut": "已停电",
    "ready": "可以合闸",
    "restored": "已恢复供电",
    "tamper": "电表报告异常",
    "message": "供电公司消息",
    "test": "测试提醒",
    "left": "剩余 %s。",
    "days": "约可用 %d 天。",
    "day": "不足一天。",
    "in": "约 %d 分钟后。",
    "why": "原因：%s。",
    "pay": "至少购电 %s。",
    "hold": "请在电表上按住按钮 3 秒。",
    "on": "供电正常。",
    "top up": "请购电。",
    "look": "请检查：%s。",
    "sent": "本电表的提醒会发到这里。",
    "meter": "电表 %s",
    "safety": "电压或温度",
    "no credit": "余额用尽",
    "time is up": "购买的时间已到",
    "load limit": "负荷过大",
    "remote": "供电公司拉闸",
    "tampers": {
        0: "反向电流",
        1: "有电流无电压",
        7: "火线与零线电流不一致",
        8: "表盖打开",
        9: "磁场干扰",
        10: "寄存器停走",
        11: "继电器断开仍有电量",
    },
    "other": "请查看电表",
    "comma": "、",
    "space": "",
}
WORDS = {"en": EN, "zh": ZH}


def compose(kind, view, language):
    """(title, text) of an alert of this kind about a view; a test needs none."""
    words = WORDS[language]
    if kind == notices.TEST:
        return words["test"], words["sent"]
    title = "%s - %s" % (words[notices.NAMES[kind]], words["meter"] % view["meter"])
    return title, words["space"].join(_sentences(kind, view, words))


def _sentences(kind, view, words):
    supply = view["supply"]
    if kind in notices.LEVELS or kind == notices.CUT_SOON:
        found = []
        if kind == notices.CUT_SOON:
            found.append(words["in"] % max(supply["cut_in_s"] // 60, 1))
        if view["available_micro"] is not None:
            found.append(words["left"] % money(view["available_micro"], view["currency"]))
        days = view["days_left"]
        if days is not None and kind != notices.CUT_SOON:
            found.append(words["days"] % days if days else words["day"])
        return found + [words["top up"]]
    if kind == notices.CUT:
        found = [words["why"] % words.get(supply["reason"], words["other"])]
        if supply["restore_micro"]:
            found.append(words["pay"] % money(supply["restore_micro"], view["currency"]))
        return found
    if kind == notices.READY:
        return [words["hold"]]
    if kind == notices.TAMPER:
        names = words["tampers"]
        told = [names[bit] for bit in range(TAMPERS) if view["tamper"] >> bit & 1 and bit in names]
        return [words["look"] % (words["comma"].join(told) or words["other"])]
    if kind == notices.MESSAGE:
        return [view["messages"][0]["text"]]
    return [words["on"]]


def money(micro, currency):
    """Micro-units as 4.20 CNY, rounded down to a hundredth."""
    cents = micro * 100 // MICRO_PER_UNIT
    sign = "-" if cents < 0 else ""
    return "%s%d.%02d %s" % (sign, abs(cents) // 100, abs(cents) % 100, currency or "")
