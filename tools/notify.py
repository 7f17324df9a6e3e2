"""`wattledger notify test`: one test alert to each service that a household has named."""

import time
from pathlib import Path
from typing import Any

from wattledger.agent.display import notice_words, notices
from wattledger.firmware.alerts_linux import NAME, AlertsFile
from wattledger.hal.network.apprise_linux import AppriseSender

WAIT_S = 60


def run(place: Path, wait_s: float = WAIT_S) -> list[dict[str, Any]]:
    """Send it; for each service its name and fault, None when it took the alert.

    `place` is alerts.json or the folder of the site. SiteError and HalError say what is wrong
    with the file, and quote no address.
    """
    file = AlertsFile(str(place / NAME if place.is_dir() else place))
    sender = AppriseSender(file.targets, retry_s=())
    title, text = notice_words.compose(notices.TEST, None, file.language)
    sender.send(notices.TEST, title, text)
    faults: dict[str, str | None] = {}
    deadline = time.monotonic() + wait_s
    while len(faults) < len(file.targets) and time.monotonic() < deadline:
        faults.update({name: fault for _, name, fault in sender.results()})
        time.sleep(0.02)
    sender.close(0)
    return [
        {"name": name, "fault": faults.get(name, f"no answer in {wait_s:g} s")}
        for name, _ in file.targets
    ]
