"""Commands about documents: tariffs and a meter's device.json."""

from wattledger.tools import output
from wattledger.tools.commands.options import File, Json


def tariff_check(file: File, as_json: Json = False) -> None:
    """Check a tariff document as the meter would; prints what it says and the bytes it takes."""
    from wattledger.tools import tariff

    found = tariff.check(file)
    if as_json:
        output.result(found)
    else:
        tariff.show(found)


def device_check(file: File, as_json: Json = False) -> None:
    """Check a device.json as the meter would."""
    from wattledger.agent import config
    from wattledger.agent.metering import quality_settings
    from wattledger.tools import places

    values = dict(vars(places.load(file, config.load)))
    for section in ("display", "token"):
        if values[section]:
            values[section] = vars(values[section])
    keys = [row[0] for row in quality_settings.rows()]
    values["quality"] = dict(zip(keys, values["quality"], strict=True))
    if as_json:
        output.result({"ok": True, **values})
    else:
        for key, value in values.items():
            for name, one in value.items() if isinstance(value, dict) else ((key, value),):
                print(f"{name if name == key else f'{key}.{name}':28} {one}")
