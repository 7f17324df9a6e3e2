"""What a meter says to a token: the result numbers of IEC 62055-41, as meters print them."""

from wattledger.agent.errors import AgentError

ACCEPT = 1
FIRST_SECTION = 2  # kept; more sections of the key change are wanted
SECOND_SECTION = 3  # the same, any section but the first
OVERFLOW = 4  # the balance would be above its limit; the token stays unused
KEY_TYPE = 5
FORMAT = 6
RANGE = 7
FUNCTION = 8  # a function this meter does not have
OLD = 9
USED = 10
KEY_EXPIRED = 11
DDTK = 12  # the meter holds a default key, which takes no credit
CRC = 13
MANUFACTURER = 14
LOCKED = 15
NOT_READY = 16
INVALID = 17  # ours, for OpenPAYGO, whose tokens have no check digits: nothing gives this token

NAMES = (
    "",
    "Accept",
    "1stKCT",
    "2ndKCT",
    "OverflowError",
    "KeyTypeError",
    "FormatError",
    "RangeError",
    "FunctionError",
    "OldError",
    "UsedError",
    "KeyExpiredError",
    "DDTKError",
    "CRCError",
    "MfrCodeError",
    "token lockout",
    "not ready",
    "InvalidError",
)
# Guesses look like these, so these are counted and end in a lock-out.
COUNTED = (FORMAT, CRC, INVALID)


class TokenError(AgentError):
    """A token is refused with `result`, a number of this file, and `detail` for a person."""

    def __init__(self, result, detail=""):
        super().__init__(detail)
        self.result = result
        self.detail = detail
