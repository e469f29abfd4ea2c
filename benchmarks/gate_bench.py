"""`make bench TOPIC=gate`: the law as a mask over a million cases x all 5,040 actions, on one core.

Cases are mixed: holds, minors, opt-outs, bounced addresses, recent contacts, sixteen regions, offers too high. What
is counted is the gate alone, from facts as columns to allowed actions with reasons; reading the facts is counted in
`run_bench.py`. The floor beside it is one copy of the allowed arrays: no gate that gives them out can be quicker.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

from kulanz.contact.facts import HOLDS, NO_HOLD, CaseFacts, CreditorRules, StageSet
from kulanz.contact.gate import gate
from kulanz.engine import ActionSpace
from kulanz.law.packs import ContactLimits, load

OUT = Path(__file__).parents[1] / "build" / "bench" / "gate.json"
CHANNELS = ("email", "sms", "whatsapp", "letter", "call", "portal")
SPACE = ActionSpace(
    CHANNELS, ("friendly", "factual", "firm", "neutral"), ("none", "later", "plan", "rest", "half")
)
STAGES = [
    StageSet("reminder_1", True, CHANNELS[:4], ("friendly", "factual"), ("none", "later"), 72, 100),
    StageSet("dunning_1", True, CHANNELS, ("factual", "firm"), ("none", "plan"), 120, 500),
    StageSet("pre_due", False, CHANNELS[:2], ("friendly",), ("none",), 48, 0),
]
RULES = CreditorRules(load("DE"), "Europe/Berlin", ContactLimits(), frozenset(CHANNELS))
AT = datetime(2026, 3, 3, 6, tzinfo=UTC)
STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")
REGIONS = np.array([f"DE-{state}" for state in STATES], object)


def facts(n: int, seed: int) -> CaseFacts:
    """n mixed cases of n customers."""
    rng = np.random.default_rng(seed)
    shape = (n, len(CHANNELS))
    now = int(AT.timestamp())
    return CaseFacts(
        case_id=np.arange(n),
        customer_id=np.arange(n) // 2 * 2 + (rng.random(n) < 0.9) * (np.arange(n) % 2),
        open_amount=rng.integers(0, 50_000, n),
        minor=rng.random(n) < 0.002,
        has_point=rng.random(shape) < 0.7,
        bounced=rng.random(shape) < 0.03,
        opted_out=rng.random(shape) < 0.05,
        no_consent=rng.random(shape) < 0.3,
        hold=np.where(rng.random(n) < 0.1, rng.integers(0, len(HOLDS), n), NO_HOLD).astype(np.int8),
        last_contact=np.where(rng.random(n) < 0.5, now - rng.integers(0, 20 * 86_400, n), 0),
        contacts_7d=rng.integers(0, 4, n).astype(np.int16),
        pending=rng.random(n) < 0.05,
        region=REGIONS[rng.integers(0, len(REGIONS), n)],
        returns_at=np.where(rng.random(n) < 0.05, now + rng.integers(0, 3 * 86_400, n), 0),
        barred=rng.random(n) < 0.01,
        last_talk=np.where(rng.random(n) < 0.1, now - rng.integers(0, 20 * 86_400, n), 0),
        calls_7d=rng.integers(0, 3, n).astype(np.int16),
    )


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--cases", type=int, default=1_000_000)
    words.add_argument("--block", type=int, default=20_000)
    asked = words.parse_args()
    blocks = [facts(asked.block, seed) for seed in range(asked.cases // asked.block)]
    stage = np.random.default_rng(9).integers(0, len(STAGES), asked.block).astype(np.int16)
    offers = np.random.default_rng(11).random((asked.block, len(SPACE.offers))) < 0.8
    offers[:, 0] = True
    gate(blocks[0], STAGES, stage, SPACE, RULES, AT, offers)
    seconds, floor, allowed = 0.0, 0.0, 0
    for block in blocks:
        begun = perf_counter()
        found = gate(block, STAGES, stage, SPACE, RULES, AT, offers)
        seconds += perf_counter() - begun
        begun = perf_counter()
        copies = [found.allowed.channel_slot.copy(), found.allowed.channel_tone_offer.copy()]
        floor += perf_counter() - begun
        allowed += int(copies[0].any(axis=1).sum())
    cases = asked.block * len(blocks)
    figures = {
        "cases": cases,
        "seconds": round(seconds, 3),
        "cases_per_second": round(cases / seconds),
        "copy_seconds": round(floor, 3),
        "times_the_copy": round(seconds / floor, 1),
        "may_be_contacted": round(allowed / cases, 3),
    }
    for name, value in figures.items():
        print(f"{name:>20}  {value:,}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2), "utf-8")


if __name__ == "__main__":
    main()
