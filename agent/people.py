"""The people at a meter: what they ask for at a display, and what it shows them."""

SHOW_MS = 250


class People:
    """At `page` (hal/contract.py), for an agent, which is given and never copied."""

    def __init__(self, agent, page, clock):
        self._agent = agent
        self._page = page
        self._clock = clock
        self._shown_at = None
        self._answers = None  # what a page asks for beside the view

    def hear(self):
        """Take everything that is asked for."""
        agent = self._agent
        request = self._page.request()
        while request is not None:
            if request[0] == "assist":
                if agent.assistance:
                    agent.assistance.answer(request[1])
            elif request[0] == "tell":
                self._tell(request[1])
            elif not (agent.keypad and agent.keypad.hear(request)):
                agent.control.person(request)
            request = self._page.request()

    def _tell(self, name):
        if self._answers is None:
            from wattledger.agent.display.answers import Answers  # when somebody looks

            self._answers = Answers(self._agent, self._page, self._clock)
        self._answers.ask(name)

    def answer(self):
        """One slice of what was asked for beside the view; True while there is more."""
        if self._answers is None:
            return False
        if self._answers.work():
            return True
        self._answers = None
        self._agent.let_go()
        return False

    def show(self):
        """The view, as often as people can follow it."""
        if self._page.show is None:
            return
        if self._shown_at is not None and self._clock.elapsed_ms(self._shown_at) < SHOW_MS:
            return
        self._shown_at = self._clock.ticks_ms()
        self._page.show(self._agent.view.page())
