"""Registers and codes of the ADE7953, by their datasheet names. The width is in the address.

Source: ADE7953 datasheet Rev. B, tables 13 to 16 and pages 57 to 60.
"""

DISNOLOAD = 0x001
LCYCMODE = 0x004
PGA_V = 0x007
PGA_IA = 0x008
PGA_IB = 0x009
WRITE_PROTECT = 0x040
LAST_OP = 0x0FD
UNLOCK = 0x0FE
CONFIG = 0x102
PHCALA = 0x108
PHCALB = 0x109
PFA = 0x10A
PERIOD = 0x10E
RESERVED_OPTIMUM = 0x120
LAST_ADD = 0x1FE
SAGCYC = 0x000
SAGLVL = 0x200
ACCMODE = 0x201
AP_NOLOAD = 0x203
VAR_NOLOAD = 0x204
VA_NOLOAD = 0x205
AVA = 0x210  # then channel B, as with every pair below
AWATT = 0x212
AVAR = 0x214
IRMSA = 0x21A
VRMS = 0x21C
AENERGYA = 0x21E  # read clears
OVLVL = 0x224
OILVL = 0x225
IRQENA = 0x22C
IRQSTATA = 0x22D
RSTIRQSTATA = 0x22E  # read clears
IRQENB = 0x22F
RSTIRQSTATB = 0x231
AIGAIN = 0x280
AVGAIN = 0x281
AWGAIN = 0x282
AVARGAIN = 0x283
AVAGAIN = 0x284
AIRMSOS = 0x286
VRMSOS = 0x288
AWATTOS = 0x289
AVAROS = 0x28A
CHANNEL_B = 12  # from a gain or an offset of channel A to that of B

UNLOCK_CODE = 0xAD
OPTIMUM_CODE = 0x0030
CONFIG_OURS = 0x0004  # the interface locked, high-pass filter on
SOFTWARE_RESET = 0x0084
PROTECT_ALL = 0x07
RSTREAD = 0x40  # energy clears when read; bits 0 to 5, line-cycle accumulation, stay off
NO_LOAD = 0x00E419  # 65536 - Y / 1.4: full scale by Y = 10 000
OP_READ = 0x35

IRQ_OVERFLOW = 1 << 3
IRQ_OVER_CURRENT = 1 << 13
IRQ_OVER_VOLTAGE = 1 << 16
IRQ_SAG = 1 << 19
IRQ_RESET = 1 << 20

FULL_RMS = 9_032_007
FULL_POWER = 4_862_401
# volt_lsb x amp_lsb: below it a power register reaches 2**30 mW, no small int of an ESP32.
LOWEST_SCALE = 132_000_000
COUNTS_PER_S = 206_900  # into an energy register at full scale
HALF_RANGE = 0x7FFFFF
UNITY = 0x400000
# A count of the driver is 64 LSB of an energy register, the rest waits: 4096 s of two circuits,
# times the numerator of a count's Wh, stay a small int of an ESP32.
COUNT_BITS = 6


def width(register):
    """Bytes of a register: 0x0xx, 0x7xx and 0x8xx one, 0x1xx two, 0x2xx three, 0x3xx four."""
    page = register >> 8
    return page + 1 if page < 4 else 1
