"""The household's word on remote assistance, as the page sends it."""

from wattledger.tests.host.test_display_server import ask, press, requests, server  # noqa: F401


def test_yes_and_no_reach_the_agent(server):  # noqa: F811
    for word in ("yes", "no"):
        assert press(server, "/assist/" + word)[0] == 200
    assert requests(server) == [("assist", True), ("assist", False)]


def test_nothing_else_says_anything(server):  # noqa: F811
    assert press(server, "/assist/maybe")[0] == 404
    assert press(server, "/assist/")[0] == 404
    assert ask(server, "/assist/yes")[0] == 405
    assert ask(server, "/assist/yes", "POST")[0] == 403
    assert requests(server) == []
