"""What a meter and its utility say to each other: a message a step, in or out."""

from wattledger.agent.comms.challenge import Challenge
from wattledger.agent.comms.commands import (
    GATE,
    JOURNAL_ACK,
    OK,
    OPS,
    PURPOSES,
    SEARCHING,
    STALE,
    CommandDesk,
)
from wattledger.agent.comms.envelope import Keyring
from wattledger.agent.comms.sender import Sender
from wattledger.agent.comms.topics import CMD, topic
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records


class Conversation:
    """Over `link` (hal/contract.py), for an agent, which is given and never copied.

    `secrets` are the device key and the gate key, `public_keys` those who sign documents; either
    may be empty. `unanswered` is a command that needs more than one step, None: there is none.
    """

    def __init__(self, agent, link, clock, entropy, secrets, public_keys):
        self._agent = agent
        self._link = link
        config = agent.config
        self.keyring = Keyring(secrets[0], PURPOSES)
        if secrets[1]:
            self.keyring.add(GATE, secrets[1])
        challenge = Challenge(entropy, clock)
        self.sender = Sender(config, link, self.keyring, agent.journal, challenge, clock)
        self.desk = CommandDesk(
            config.meter, self.keyring, challenge, clock, {}, agent.report, self._find_action
        )
        self._commands = topic(config.tenant, config.meter, CMD)
        link.subscribe(self._commands)
        self.unanswered = None
        self.home = self.documents = None
        # Both only where they are wanted: a meter without has no heap to spare for them.
        if config.home_assistant:
            from wattledger.agent.comms.discovery.home import Home

            self.home = Home(agent, link, clock)
        if public_keys:
            from wattledger.agent.comms.documents import DocumentDesk

            self.documents = DocumentDesk(agent, public_keys, agent.storage, link, clock)
            if any(kid.startswith("root.") for kid in public_keys):
                from wattledger.agent.comms.root import RootDesk

                self.desk.root = RootDesk(public_keys, self.documents)

    def _find_action(self, op):
        from wattledger.agent.comms import actions

        return actions.find(self._agent, op)

    def work(self):
        """Take one message or send one; True when there may be more."""
        if self.sender.must_answer() and self._say():
            return True
        message = self.unanswered or self._link.receive()
        if message is not None:
            self.unanswered = None
            self._hear(message)
            return True
        if self.documents and self.documents.work():
            return True
        return self._say()

    def _hear(self, message):
        where, data, retained = message
        if self.home and self.home.hear(where, data, retained):
            return
        listener = self._agent.listeners.get(where)
        if listener:
            listener(data)
        elif self.documents and where != self._commands:
            self.documents.hear(where, data)
        else:
            self._answer(message)

    def _say(self):
        agent = self._agent
        agent.keeper.acknowledged = self.sender.acknowledged
        state = self.home.state if self.home else agent.view.state
        if self.sender.work(agent.view.hello, state, agent.view.said()):
            return True
        return self.home is not None and self.home.work()

    def _answer(self, message):
        answer = self.desk.handle(message[1], message[2])
        if answer is None:
            return
        if answer["result"] == SEARCHING:
            self.unanswered = message  # asked again in the next step, until the search ends
            return
        if answer["op"] == OPS[JOURNAL_ACK][0] and answer["result"] == OK:
            return  # answering an acknowledgement would never end
        if self.desk.writes:
            result = self.desk.result_code(answer["result"])
            entry = payloads.pack_command(answer["digest"], answer["op"], result)
            self._agent.note(records.COMMAND, entry)
        if answer["result"] == STALE:
            self.sender.ask_hello()
        self.sender.answer(answer)
