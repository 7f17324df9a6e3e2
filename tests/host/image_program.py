"""Runs in MicroPython beside the built image (flash_bench.py): dynamic prices, and the pages of a
small screen."""

import json

import flash_program

QUARTER_S = 900
FIRST, SECOND = 500_000, 2_000_001  # micro per kWh; odd, so that a sum tells what is in it
RIGHT = 100_000


def priced(slot):
    """Two quarters of an hour at dynamic prices, then the first at its right price: the words for
    the log, what the two cost, and what was given back (nano-units)."""
    board = flash_program.Board(slot)
    board.boot()
    into(board, 1)  # the tariff is in force from its first whole quarter on
    agent = board.meter.agent
    began = flash_program.houses.START + 2 * QUARTER_S
    said = [offer(agent, 1, began, [FIRST, SECOND])]
    into(board, 2)
    before = agent.journal.balance
    into(board, 4)
    after = agent.journal.balance
    said.append(offer(agent, 2, began, [RIGHT], correct=True))
    board.run(60_000)
    return {
        "said": said,
        "cost": before - after,
        "back": agent.journal.balance - after,
        "missing": agent.ledger.missing,
        "failures": board.meter.runtime.failures,
    }


def into(board, quarter):
    """Run until ten seconds into a quarter of an hour; the first is 0."""
    board.run((quarter * QUARTER_S + 10) * 1000 - board.now_ms)


def offer(agent, n, start, prices, **more):
    """The word for the log; an error's text where the document is refused."""
    document = {"v": 1, "prices_of": "plain", "n": n, "start": start, "step": QUARTER_S}
    document.update(prices=prices, **more)
    try:
        return agent.accept_document(json.dumps(document).encode())
    except Exception as error:
        return repr(error)


def pages(slot):
    """The pages of a small screen, by name and title."""
    flash_program.Board(slot).boot()  # its slot is what the display's room is read from
    from world.tests.both import fixtures_views

    from wattledger.agent.display.pages import Pages
    from wattledger.agent.display.words_en import WORDS

    view = fixtures_views.view()
    made = Pages(WORDS, "about")
    return [[name, made.layout(name, view).title] for name in made.names(view)]
