"""Faults by chips: what a driver makes of each. Portable.

docs/chips/README.md shows the same table, and tests/checks holds the two against each other. A
cell with a test's name is proven there, every other one by the runs of houses_faults.py.
"""

EXACT = "exact"  # when it is over, every count has arrived once
GAP = "gap told"  # RESTARTED or UNCONFIRMED; from then on every count arrives once
FOUND = "found"  # CORRUPT or NO_ANSWER while it lasts
FLAG = "flag"  # FLAG_SATURATED
UNSEEN = "not seen"
NEVER = "-"  # cannot happen

ATM = "ATM90E32"
ADE = "ADE7953"
INA = "INA228"
BL = "BL0942"
CSE = "CSE7766"
PZEM = "PZEM-004T"
MCP = "MCP3208"
CHIPS = (ATM, ADE, INA, BL, CSE, PZEM, MCP)

IN_ADC = "test_hal_mcp3208_faults.py::"

# (fault, its method of houses_faults.Run, {chip: outcome, or (outcome, the test that has it)})
TABLE = (
    (
        "a flipped bit of any answer",
        "flip",
        {
            ATM: EXACT,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (GAP, IN_ADC + "test_one_answer_with_a_wrong_null_bit_spoils_its_block_only"),
        },
    ),
    (
        "a short frame",
        "shorten",
        {
            ATM: EXACT,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (
                FOUND,
                "test_sim_mcp3208.py::test_a_frame_too_short_for_the_null_bit_says_nothing",
            ),
        },
    ),
    (
        "NACK, or a bus error",
        "fail",
        {
            ATM: EXACT,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (GAP, IN_ADC + "test_errors_of_the_sampler_are_bus_errors"),
        },
    ),
    (
        "all zeros, a line stuck low",
        "low",
        {
            ATM: GAP,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (FOUND, IN_ADC + "test_a_line_stuck_high_or_low_is_no_answer"),
        },
    ),
    (
        "all ones, a line stuck high",
        "high",
        {
            ATM: EXACT,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (FOUND, IN_ADC + "test_a_line_stuck_high_or_low_is_no_answer"),
        },
    ),
    (
        "silence",
        "silence",
        {
            ATM: EXACT,
            ADE: EXACT,
            INA: EXACT,
            BL: EXACT,
            CSE: EXACT,
            PZEM: EXACT,
            MCP: (GAP, IN_ADC + "test_a_long_silence_was_told_and_is_no_energy"),
        },
    ),
    (
        "frozen energy under load",
        "freeze",
        {
            ATM: UNSEEN,
            ADE: UNSEEN,
            INA: UNSEEN,
            BL: FOUND,
            CSE: FOUND,
            PZEM: FOUND,
            MCP: (FOUND, IN_ADC + "test_one_that_hangs_is_no_answer"),
        },
    ),
    (
        "a reset of the chip",
        "reset",
        {
            ATM: GAP,
            ADE: GAP,
            INA: GAP,
            BL: GAP,
            CSE: (GAP, "test_hal_cse7766.py::test_a_fall_of_cf_without_its_toggle_is_a_restart"),
            PZEM: EXACT,
            MCP: NEVER,
        },
    ),
    (
        "an input over its range",
        "saturate",
        {
            ATM: UNSEEN,
            ADE: FLAG,
            INA: FLAG,
            BL: FLAG,
            CSE: UNSEEN,
            PZEM: UNSEEN,
            MCP: (FLAG, "test_hal_mcp3208.py::test_an_input_over_its_range_is_flagged"),
        },
    ),
    (
        "a counter over its end",
        "",
        {
            ATM: (
                UNSEEN,
                "test_hal_atm90e32_energy.py::test_a_register_that_wrapped_hands_on_what_is_left",
            ),
            ADE: (
                GAP,
                "test_hal_ade7953_faults.py::test_half_full_is_energy_and_an_overflow_is_a_gap",
            ),
            INA: (
                EXACT,
                "test_hal_ina228.py::test_the_wrap_at_2_to_the_40_is_an_ordinary_difference",
            ),
            BL: (EXACT, "test_hal_bl0942.py::test_the_counter_runs_over_its_end_both_ways"),
            CSE: (EXACT, "test_hal_cse7766.py::test_cf_wraps_with_its_toggle"),
            PZEM: (
                GAP,
                "test_hal_pzem004t.py::test_it_turns_over_at_the_end_of_its_range_as_a_restart",
            ),
            MCP: (GAP, IN_ADC + "test_blocks_that_were_not_fetched_in_time_are_told"),
        },
    ),
)
