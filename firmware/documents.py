"""What a root is given to read, before it makes the agent: checks are large, and so is an agent.

Each check leaves the heap (forget.py) before the next is loaded.
"""

import gc

from wattledger.agent.billing import tariff as tariffs
from wattledger.firmware.forget import forget, loaded


def read(device, document):
    """(Config, Tariff or None) of device.json and of a tariff document or None, both bytes.

    ConfigError and TariffError say what is wrong.
    """
    kept = loaded()
    from wattledger.agent import config as configs  # here, so that it can go again

    config = configs.load(device)
    _tidy(kept)
    if document is None:
        return config, None
    tariff = tariffs.load(document, config.price_limit_micro)
    _tidy(kept)
    return config, tariff


def _tidy(kept):
    if hasattr(gc, "threshold"):  # MicroPython: on CPython others may hold what would go
        forget(kept)
