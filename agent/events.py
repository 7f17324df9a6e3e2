"""Events the journal can hold: what happened, as a number that never changes its meaning."""

STARTED = 1  # value: boot count
LEDGER_MISSING = 2  # a provisioned meter found no journal
JOURNAL_DAMAGED = 3  # value: last good sequence
SNAPSHOT_DAMAGED = 4
STORAGE_FAILED = 5  # value: errno
CLOCK_STEPPED = 6  # value: seconds
ENERGY_REJECTED = 7  # value: counts not billed
CHIP_SILENT = 8  # value: ticks without an answer
CHIP_RESTARTED = 9  # value: seconds of the gap
CHIP_FAULT = 10
LOW_CREDIT_1 = 11  # value: available, micro-units
LOW_CREDIT_2 = 12
CREDIT_EXHAUSTED = 13
CONTACT_DIFFERS = 14  # value: 1 closed, 0 open
TARIFF_REFUSED = 15  # value: n
COMMANDS_SILENCED = 16  # value: bad signatures in the minute
STANDING_SKIPPED = 17  # value: days not charged
JOURNAL_REFUTED = 18  # value: sequence the utility named with another hash
RETAINED_COMMAND = 19
LATE_TICK = 20  # value: seconds since the tick before
TICK_FAILED = 21  # an exception in the tick was contained; value: how many so far
WELDED_CONTACT = 24  # closed although told to open, twice again; billing goes on
CONTACT_STUCK = 25  # open although told to close
CONTACT_FREED = 26  # a welded contact opened after all
JOURNAL_DROPPED = 27  # room was short; value: last sequence that went
RELAY_FAILED = 23  # the relay did not take its opening; value: errno
TOKEN_MEMORY_LOST = 60  # no token is taken: used ones could not be told from new ones
TOKENS_LOCKED = 61  # value: wrong tokens in a row
STEP_FAILED = 22  # an exception in a step was contained; value: how many so far
RESTARTED_BY = 28  # value: why, from 1 (firmware/main_esp32.py); not told of a power cut
STORE_LOST = 29  # it could not be read and was made anew by order
# 40 to 59 are the supply's.
CUT_IN_15 = 40  # the projected cut; value: seconds to it
CUT_IN_5 = 41
CUT_RESTORE = 42  # a credit cut; value: micro-units that arm the supply again
CUT_FRIENDLY = 43  # value: micro-units that accrued below the floor in the friendly period
KEEP_POWER = 44  # value: seconds it lasts; 0: it is over
OVER_VOLTAGE = 45  # the supply opened; value: mV
OVER_TEMPERATURE = 46  # the supply opened; value: 0.1 C
# 47 was under-voltage before there were conditions; it stays free.
OVERLOAD = 48  # value: W
REMOTE_SCHEDULED = 51  # the utility's opening; value: seconds to it
REMOTE_CANCELLED = 52  # by relay.arm, supply.keep or a top-up
REMOTE_OPENED = 53  # value: its reason, from 1 (agent/comms/remote_open.py)
REMOTE_OVER = 54  # it has ended by itself
CORRECTION_FAILED = 50  # its document or records cannot be read any more; value: n
# 70 to 77 are the chip's and the watch's.
CALIBRATION_CHANGED = 70  # the rest of a Wh was dropped; value: CRC-32 of the new one, 0 nominal
CHIP_ANSWERS = 71  # after CHIP_SILENT; value: seconds of the gap
CHIP_CORRUPT = 72  # value: readings that could not be true, in the hour
CHIP_UNCONFIRMED = 73  # value: readings hit on the wire and found again, in the hour
COUNTS_UNCERTAIN = 74  # a gap longer than the chip's registers hold; value: its seconds
TAMPER_CLEARED = 75  # value: kinds that were latched, bit 0 is code 100
CONDITIONS_HELD = 76  # too many in the hour; value: their code, and from bit 8 on how many
PHASE_UNBALANCE = 77  # over its limit; value: W between the phases
DOCUMENT_REFUSED = 80  # a signed document; value: why (agent/comms/documents.py)
CERTIFICATE_ENDS = 81  # the one the broker knows the meter by; value: days left
CERTIFICATE_ENDED = 82  # no broker takes the meter until it has a new one
KEYS_ROTATED = 84  # value: their generation
KEYS_LOST = 85  # their generation cannot be read: no command is taken but the root key's
ASSIST_ASKED = 90  # remote assistance; value: its scope, from 1 (agent/comms/assistance.py)
ASSIST_BEGUN = 91  # the household agreed; value: its scope
ASSIST_REFUSED = 92  # value: 0 by a person, 1 nobody answered, 2 another request came
ASSIST_OVER = 93  # value: 0 by a person, 1 by its time, 2 another request came
ALERT_HELD = 94  # value: its kind (agent/display/notices.py)
ALERT_FAILED = 95  # no one took it; value: its kind
RECONNECT_ASKED = 96  # by the home; value: the open reasons
# 100 to 114 are conditions, and carry a snapshot: value: phase 1 to 3 or 0, +8 when it ended.
REVERSE = 100
NO_POTENTIAL = 101
HIGH_VOLTAGE = 102
LOW_VOLTAGE = 103
SWELL = 104
SAG = 105
PHASE_LOSS = 106
IMBALANCE = 107
COVER = 108
MAGNET = 109
FROZEN = 110
BYPASS = 111
SEQUENCE = 112
SATURATED = 113
FREQUENCY = 114  # value: from bit 8 on mHz

NAMES = {
    STARTED: "started",
    LEDGER_MISSING: "ledger missing",
    JOURNAL_DAMAGED: "journal damaged",
    SNAPSHOT_DAMAGED: "snapshot damaged",
    STORAGE_FAILED: "storage failed",
    CLOCK_STEPPED: "clock stepped",
    ENERGY_REJECTED: "energy rejected",
    CHIP_SILENT: "chip silent",
    CHIP_RESTARTED: "chip restarted",
    CHIP_FAULT: "chip fault",
    LOW_CREDIT_1: "low credit, first level",
    LOW_CREDIT_2: "low credit, second level",
    CREDIT_EXHAUSTED: "credit exhausted",
    CONTACT_DIFFERS: "contact differs from the state",
    TARIFF_REFUSED: "tariff refused",
    COMMANDS_SILENCED: "commands silenced",
    STANDING_SKIPPED: "standing charge days skipped",
    JOURNAL_REFUTED: "journal refuted by the utility",
    RETAINED_COMMAND: "retained command dropped",
    LATE_TICK: "late tick",
    TICK_FAILED: "tick failed",
    STEP_FAILED: "step failed",
    RESTARTED_BY: "restarted by",
    STORE_LOST: "store lost and made anew",
    RELAY_FAILED: "relay failed",
    WELDED_CONTACT: "welded contact",
    CONTACT_STUCK: "contact stuck open",
    CONTACT_FREED: "contact freed",
    JOURNAL_DROPPED: "journal segment dropped",
    CUT_IN_15: "cut in 15 minutes",
    CUT_IN_5: "cut in 5 minutes",
    CUT_RESTORE: "credit cut, to restore it takes",
    CUT_FRIENDLY: "accrued in the friendly period",
    KEEP_POWER: "keep-power",
    OVER_VOLTAGE: "opened for over-voltage",
    OVER_TEMPERATURE: "opened for over-temperature",
    OVERLOAD: "load over its limit",
    TOKEN_MEMORY_LOST: "token memory lost",
    TOKENS_LOCKED: "tokens locked out",
    REMOTE_SCHEDULED: "remote opening in",
    REMOTE_CANCELLED: "remote opening cancelled",
    REMOTE_OPENED: "remote opening",
    REMOTE_OVER: "remote opening over",
    CORRECTION_FAILED: "correction not possible",
    DOCUMENT_REFUSED: "document refused",
    CERTIFICATE_ENDS: "certificate ends, days left",
    CERTIFICATE_ENDED: "certificate ended",
    KEYS_ROTATED: "keys rotated to generation",
    KEYS_LOST: "generation of the keys lost",
    CALIBRATION_CHANGED: "calibration changed",
    CHIP_ANSWERS: "chip answers again",
    CHIP_CORRUPT: "corrupt readings",
    CHIP_UNCONFIRMED: "readings confirmed at the second try",
    COUNTS_UNCERTAIN: "energy may be missing",
    TAMPER_CLEARED: "tamper cleared",
    CONDITIONS_HELD: "conditions not told",
    PHASE_UNBALANCE: "phases unbalanced",
    ASSIST_ASKED: "remote assistance asked for",
    ASSIST_BEGUN: "remote assistance agreed to",
    ASSIST_REFUSED: "remote assistance refused",
    ASSIST_OVER: "remote assistance over",
    ALERT_HELD: "alert held back",
    ALERT_FAILED: "alert not delivered",
    RECONNECT_ASKED: "reconnect asked for",
    REVERSE: "reverse current",
    NO_POTENTIAL: "current without voltage",
    HIGH_VOLTAGE: "over-voltage",
    LOW_VOLTAGE: "under-voltage",
    SWELL: "swell",
    SAG: "sag",
    PHASE_LOSS: "phase loss",
    IMBALANCE: "phase and neutral differ",
    COVER: "cover open",
    MAGNET: "magnet",
    FROZEN: "frozen registers",
    BYPASS: "energy through an open relay",
    SEQUENCE: "wrong phase sequence",
    SATURATED: "input saturated",
    FREQUENCY: "frequency out of range",
}
