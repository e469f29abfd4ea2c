import copy
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

from kulanz.engine import Policy, RewardSettings
from kulanz.engine.actions import WAIT
from kulanz.engine.simulation.book import CHANNEL_FROM, OPEN, PAID_AT, TONE_FROM
from kulanz.engine.simulation.choosers import Ladder, PolicyChooser, Random, Unteachable, Waiting, column
from kulanz.engine.simulation.figures import Figures
from kulanz.engine.simulation.oracle import Oracle
from kulanz.engine.simulation.records import FEATURES
from kulanz.engine.simulation.world import CASE_DAYS, PLAN, SPACE, World
from kulanz.engine.simulation.year import YearSettings, gap_share, play
from kulanz.kernel.errors import InputError

EMAIL, SMS, LETTER, PHONE = range(4)
SUNDAY = 6


def world_with(seed=0, cases=300, days=365, **changes):
    """A world with some figures replaced: response__pays=[...] is pays of [response]."""
    tables = copy.deepcopy(Figures.drawn(seed).tables)
    for name, value in changes.items():
        section, _, figure = name.partition("__")
        assert figure in tables[section]
        tables[section][figure] = value
    return World.draw(cases, seed, days=days, figures=Figures(tables))


def year(chooser, world, **given):
    return play(chooser, seed=world.seed, cases=len(world), days=world.days, world=world, **given)


class Spy:
    """Lets another one choose, and writes down what it was asked, what it did and what it was told."""

    def __init__(self, chooser):
        self.chooser, self.asked, self.told = chooser, [], []

    def meet(self, book):
        self.book = book
        if isinstance(self.chooser, Oracle):
            self.chooser.meet(book)

    def choose(self, day, contexts, allowed, ids):
        actions = self.chooser.choose(day, contexts, allowed, ids)
        still_open = (self.book.sums[ids, OPEN] > 0) & ~self.book.closed[ids]
        vetoed = self.book.optouts[self.book.world.customer[ids]]
        self.asked.append((day, ids, actions, contexts, allowed, still_open, vetoed))
        return actions

    def learn(self, contexts, actions, rewards, *, ids, days):
        self.told.append((days, ids, rewards))


class Always(Unteachable):
    """Contacts whenever it may, by the last allowed of the given channels."""

    def __init__(self, *channels, tone=0, offer=0, only=lambda ids: ids >= 0):
        self.channels, self.tone, self.offer, self.only = channels, tone, offer, only

    def choose(self, day, contexts, allowed, ids):
        out = np.full((len(ids), 4), WAIT, dtype=np.int16)
        for channel in self.channels:
            may = allowed.channel_slot[:, channel * SPACE.slots] & self.only(ids)
            out[may] = channel, 0, self.tone, self.offer
        return out


def test_a_case_is_the_same_in_any_world_of_its_seed():
    small, large = World.draw(40, 3), World.draw(400, 3)
    for name in ("customer", "due_day", "amount_minor", "own_at"):
        assert (getattr(small, name) == getattr(large, name)[:40]).all()
    m = len(small.customers)
    for name in ("cause", "reach", "hours", "tones", "response", "payday", "share_late"):
        assert (getattr(small.customers, name) == getattr(large.customers, name)[:m]).all()
    assert (World.draw(40, 4).amount_minor != small.amount_minor).any()


def test_a_customer_never_has_two_cases_at_a_time():
    world = World.draw(600, 1)
    for customer in range(0, 200, 20):
        due = world.due_day[world.customer == customer]
        assert len(due) == 3
        assert (np.diff(due) > CASE_DAYS + 7).all()
    assert world.due_day.max() + CASE_DAYS + 1 < world.days


def test_the_calendar_is_the_real_one():
    calendar = World.draw(1, 0).calendar
    assert calendar.weekday[:5].tolist() == [3, 4, 5, 6, 0]  # 1 January 2026 is a Thursday
    assert calendar.day_of_month[[0, 30, 31, 58, 59, 364]].tolist() == [1, 31, 1, 28, 1, 31]
    assert calendar.weekday[364] == 3


def test_two_years_of_one_seed_are_the_same_year():
    first, second = (play(Random(5), seed=2, cases=200, days=120) for _ in range(2))
    assert (first.rewards == second.rewards).all()
    assert first.contacts == second.contacts
    assert first.simulated
    assert (play(Random(5), seed=3, cases=200, days=120).rewards != first.rewards).any()


def test_what_is_done_to_others_does_not_change_a_customers_luck():
    world = world_with(days=200)
    even = world.customer % 2 == 0
    all_of_them = year(Always(EMAIL), world)
    half = year(Always(EMAIL, only=lambda ids: world.customer[ids] % 2 == 0), world)
    nobody = year(Waiting(), world)
    assert (half.rewards[even] == all_of_them.rewards[even]).all()
    assert (half.rewards[~even] == nobody.rewards[~even]).all()
    assert (half.rewards[even] != nobody.rewards[even]).any()


def test_without_any_contact_a_year_is_worth_what_comes_by_itself():
    world = world_with(cases=900)
    result = year(Waiting(), world)
    late = world.own_at - world.due_day
    comes = late < CASE_DAYS + 1
    assert result.rewards == pytest.approx(np.where(comes, 1 - 0.01 * np.where(comes, late, 0), 0.0))
    assert result.received_minor == world.amount_minor[comes].sum()
    weighed = np.average(late[comes], weights=world.amount_minor[comes])
    assert result.mean_days == pytest.approx(weighed)
    assert (result.cost_minor, result.contacts_made, result.complaints, result.opt_outs) == (0, 0, 0, 0)


def test_a_decision_is_paid_when_its_window_closes_for_all_that_happened_in_it():
    world = world_with(cases=200)
    spy = Spy(Waiting())
    year(spy, world, settings=YearSettings(RewardSettings(horizon_days=10, discount_per_day=0.01)))
    assert [days[0] for days, *_ in spy.told] == [day for day, *_ in spy.asked if day + 10 < world.days]
    for days, ids, rewards in spy.told[::20]:
        wait = world.own_at[ids] - days
        expected = np.where(wait < 10, 1 - 0.01 * np.minimum(wait, 10), 0.0)
        open_until = world.due_day[ids] + CASE_DAYS + 1
        assert rewards == pytest.approx(np.where(world.own_at[ids] < open_until, expected, 0.0))


def test_the_steps_of_a_case_add_up_to_its_reward():
    world = world_with(cases=400, days=150)
    spy = Spy(Random(3))
    result = year(spy, world, settings=YearSettings(credit="step"))
    days, ids, rewards = (np.concatenate(column) for column in zip(*spy.told, strict=True))
    asked = sorted((day, int(case)) for day, cases, *_ in spy.asked for case in cases)
    assert sorted(zip(days.tolist(), ids.tolist(), strict=True)) == asked
    summed = np.bincount(ids, weights=rewards, minlength=len(world))
    decided = np.bincount(ids, minlength=len(world)) > 0
    early = world.own_at < world.due_day + 3
    assert summed[decided & ~early] == pytest.approx(result.rewards[decided & ~early])
    assert (decided & ~early).sum() > 300
    first = {case: day for day, case in reversed(asked)}
    told = [case for cases in spy.told[:5] for case in cases[1]]
    assert all(first[int(case)] <= 10 for case in told)


def test_a_contact_costs_its_price_and_the_contacts_after_it_too():
    world = world_with(response__pays=[0.0] * 5, response__with_cash=0.0, harm__complains=0, harm__opts_out=0,
                       harm__per_contact=0, response__disputes=[0.0] * 5, response__promises=[0.0] * 5)  # fmt: skip
    spy = Spy(Always(EMAIL))
    result = year(spy, world)
    price = 1 + 100
    assert result.cost_minor == price * result.contacts["email"]
    never = ~np.isfinite(world.own_at)
    contacts = np.array([len(days) for days in contact_days(spy, len(world)).values()])
    assert result.rewards[never] == pytest.approx(-(price * contacts / world.amount_minor)[never])
    days, ids, rewards = spy.told[30]
    within = [sum(days[0] <= d < days[0] + 14 for d in contact_days(spy, len(world))[case]) for case in ids]
    assert rewards[never[ids]] == pytest.approx(
        -(price * np.array(within) / world.amount_minor[ids])[never[ids]]
    )
    assert max(within) > 1


def contact_days(spy, cases):
    days = {case: [] for case in range(cases)}
    for day, ids, actions, *_ in spy.asked:
        for case in ids[actions[:, 0] != WAIT]:
            days[int(case)].append(day)
    return days


def test_a_paid_case_is_never_contacted_again():
    spy = Spy(Always(EMAIL, SMS, LETTER))
    result = year(spy, world_with(cases=600))
    assert all(still_open.all() for *_, still_open, _ in spy.asked)
    assert result.received_minor > 0.5 * result.owed_minor


def test_the_legal_limits_hold_for_the_most_eager_chooser():
    world = world_with(cases=300)
    spy = Spy(Always(EMAIL, SMS, LETTER, PHONE))
    year(spy, world)
    for days in contact_days(spy, len(world)).values():
        gaps = np.diff(days)
        assert (gaps >= 2).all()
        assert (gaps[1:] + gaps[:-1] >= 7).all()
        assert not (world.calendar.weekday[days] == SUNDAY).any()
    first = {channel: min(age_of(spy, world, channel)) for channel in (LETTER, PHONE)}
    assert first == {LETTER: CHANNEL_FROM[LETTER], PHONE: CHANNEL_FROM[PHONE]}
    for day, ids, _, _, allowed, _, _ in spy.asked[::10]:
        tones = allowed.channel_tone_offer.reshape(len(ids), 4, 4, 2)[:, SMS, :, 0]
        age = day - world.due_day[ids]
        open_channel = tones[:, 0]
        assert (tones == (age[:, None] >= np.array(TONE_FROM)) & open_channel[:, None]).all()


def age_of(spy, world, channel):
    return [
        age
        for day, ids, actions, *_ in spy.asked
        for age in (day - world.due_day[ids])[actions[:, 0] == channel]
    ]


def test_an_opt_out_is_respected_for_the_rest_of_the_year_and_in_later_cases():
    world = world_with(harm__opts_out=0.5, response__pays=[0.0] * 5)
    spy = Spy(Always(EMAIL, SMS))
    result = year(spy, world)
    assert result.opt_outs > 100
    for _, _, actions, _, allowed, _, vetoed in spy.asked:
        for channel in (EMAIL, SMS):
            gone = (vetoed >> channel) & 1 == 1
            assert not allowed.channel_slot[gone, channel * 6 : channel * 6 + 6].any()
            assert not (actions[gone, 0] == channel).any()
    per_channel = np.array([(spy.book.optouts >> channel) & 1 for channel in range(4)]).sum(axis=1)
    assert per_channel.sum() == result.opt_outs
    assert per_channel[LETTER] == 0


def test_a_chooser_that_does_what_is_not_allowed_stops_the_year():
    class Caller(Unteachable):
        def choose(self, day, contexts, allowed, ids):
            return np.tile(np.array([PHONE, 0, 0, 0], dtype=np.int16), (len(ids), 1))

    class Silent(Unteachable):
        def choose(self, day, contexts, allowed, ids):
            return np.full((0, 4), WAIT, dtype=np.int16)

    with pytest.raises(InputError, match="not allowed"):
        play(Caller(), seed=0, cases=20)
    with pytest.raises(InputError, match="0 actions"):
        play(Silent(), seed=0, cases=20)


def test_the_money_adds_up():
    for chooser in (Ladder(), Random(1), Always(EMAIL, SMS, offer=PLAN)):
        spy = Spy(chooser)
        world = world_with(cases=500, days=120)
        result = year(spy, world)
        left = spy.book.sums[:, OPEN]
        assert (left >= 0).all()
        assert (left == np.round(left)).all()
        assert result.owed_minor == world.amount_minor.sum()
        assert result.received_minor + left.sum() == result.owed_minor
        assert result.recovered == result.received_minor / result.owed_minor
        part = (left > 0) & (left < world.amount_minor)
        assert part.any()


def test_an_instalment_plan_pays_three_parts_fourteen_days_apart():
    world = world_with(cases=600, year__takes_plan=[1.0, 1.0], year__keeps_instalment=1.0)
    spy = Spy(Always(EMAIL, offer=PLAN, only=lambda ids: world.due_day[ids] < 1000))
    year(spy, world)
    sums, never = spy.book.sums, ~np.isfinite(world.own_at)
    days = contact_days(spy, len(world))
    checked = 0
    for case in np.flatnonzero(never & (sums[:, OPEN] == 0)):
        amount, last = world.amount_minor[case], days[case][-1]
        third = -(-amount // 3)
        first = (sums[case, PAID_AT] - third * 14 - (amount - 2 * third) * 28) / amount
        kept_promise = sums[case, PAID_AT] / amount == pytest.approx(last + 7.5)
        checked += not kept_promise
        assert kept_promise or last + 9 / 24 < first < last + 9 / 24 + 4.001
    assert checked > 50


def test_paydays_matter_to_the_short_of_cash_alone():
    world = world_with(cases=3000)
    rows = np.arange(len(world.customers))
    flush = np.array([world.with_cash(rows, day) for day in range(60)])
    short = world.customers.short
    assert flush[:, ~short].all()
    assert 0.05 < flush[:, short].mean() < 0.35
    zero = np.zeros(len(rows), dtype=np.intp)
    pays = [world.appeal(rows, day, zero) for day in (4, 25)]  # a Monday after one payday, before another
    with_cash = flush[4] & short & ~flush[25]
    assert (pays[0][with_cash] > pays[1][with_cash]).mean() > 0.9


def test_each_cause_answers_as_its_figures_say():
    world = World.draw(60_000, 2)
    people, f = world.customers, world.figures
    rows, zero = np.arange(len(people)), np.zeros(len(people), dtype=np.intp)
    monday = 4
    assert world.calendar.weekday[monday] == 0
    answers = world.appeal(rows, monday, zero) / f.numbers("channels", "effect")[EMAIL]
    flush = world.with_cash(rows, monday)
    pays = f.numbers("response", "pays")
    for cause in range(5):
        broke = (people.cause == cause) & (~flush | (cause != 1))
        assert answers[broke].mean() == pytest.approx(pays[cause], rel=0.05)
    rich = (people.cause == 1) & flush
    assert answers[rich].mean() == pytest.approx(f.number("response", "with_cash"), rel=0.05)


def test_every_customer_reads_some_channel_well():
    world = World.draw(30_000, 8)
    reach, cause = world.customers.reach, world.customers.cause
    lost = cause == 2
    assert reach.min() > 0.0
    assert reach.max() <= 0.98
    ranked = np.sort(reach[:, :3], axis=1)
    assert np.median(ranked[lost, -1]) > 3 * np.median(ranked[lost, 0])
    assert reach[lost, EMAIL].mean() < 0.35
    assert reach[cause == 0, EMAIL].mean() > 0.5


@pytest.mark.parametrize("seed", range(8))
def test_effects_stay_within_what_experiments_found(seed):
    """Reminders: Cadena, Schoar 2011; a reminder against none, 48 to 60 %: fines in Tulsa; hours: none to 5 points;
    pressure: at most 8 points; phone: Laudenbach, Pirschel, Siegel 2018, 34 points of those who were reached.
    """
    world = World.draw(20_000, seed)
    rows = np.arange(len(world.customers))
    zero = np.zeros(len(rows), dtype=np.intp)
    fresh = {"day": 5, "band": zero, "tone": zero, "offer": zero, "contacts": zero, "gap": zero + 99}

    def response(channel, **given):
        columns = fresh | {name: zero + value for name, value in given.items()}
        return world.customers.reach[:, channel] * world.chance(rows, channel=zero + channel, **columns)

    bands = [response(EMAIL, band=band).mean() for band in range(6)]
    assert max(bands) - np.mean(np.delete(bands, int(np.argmax(bands)))) < 0.05 + 0.02
    assert abs(response(EMAIL, tone=1).mean() - response(EMAIL).mean()) < 0.04
    assert 0.0 <= response(EMAIL, tone=2).mean() - response(EMAIL).mean() < 0.08
    assert abs(response(EMAIL, offer=PLAN).mean() - response(EMAIL).mean()) < 0.05
    alone = 1 - np.prod([1 - world.daily_chance(rows, 5 + day, 1 + day) for day in range(14)], axis=0)
    gain = response(EMAIL) * (1 - alone)
    assert 0.03 < gain.mean() < 0.20
    called = world.chance(rows, channel=zero + PHONE, **fresh) * (1 - alone)
    assert called.mean() < 0.344


def test_as_many_pay_as_their_chances_say():
    world = world_with(cases=30_000, seed=4, days=90)
    day = 20
    assert world.calendar.weekday[day] != SUNDAY
    rows = np.flatnonzero((world.due_day == day - 1) & (world.own_at > day + 6))
    zero = np.zeros(len(rows), dtype=np.intp)
    customer = world.customer[rows]
    chance = world.customers.reach[customer, SMS] * world.chance(
        customer, day=day, channel=zero + SMS, band=zero, tone=zero, offer=zero, contacts=zero, gap=zero + 99
    )

    class Once(Always):
        def choose(self, at, contexts, allowed, ids):
            out = super().choose(at, contexts, allowed, ids)
            out[(at != day) | ~np.isin(ids, rows)] = WAIT
            return out

    spy = Spy(Once(SMS))
    result = year(spy, world)
    assert result.contacts_made == len(rows) > 500
    found = int(spy.book.acts[1])
    assert abs(found - chance.sum()) < 4 * np.sqrt((chance * (1 - chance)).sum())


def test_contexts_are_what_a_creditor_could_know():
    plain, other = world_with(), world_with(response__pays=[0.6] * 5, response__with_cash=0.1)
    first, second = Spy(Waiting()), Spy(Waiting())
    year(first, plain)
    year(second, other)
    for (day, ids, _, contexts, *_), (_, _, _, same, *_) in zip(first.asked, second.asked, strict=True):
        assert (contexts == same).all()
        assert np.isfinite(contexts).all()
        assert np.rint(column(contexts, "days_past_due")).astype(int) == pytest.approx(
            day - plain.due_day[ids]
        )
    assert column(contexts, "amount") == pytest.approx(np.log10(plain.amount_minor[ids]), rel=1e-5)
    assert not {"cause", "reach", "response", "payday", "hazard"} & set(FEATURES.names)


def test_the_records_count_what_was_sent():
    world = world_with()
    spy = Spy(Always(SMS))
    year(spy, world)
    sent = {}
    for _, ids, actions, contexts, *_ in spy.asked:
        said = np.rint(column(contexts, "sent_sms")).astype(int)
        assert said.tolist() == [min(sent.get(int(c), 0), 30) for c in world.customer[ids]]
        for customer in world.customer[ids[actions[:, 0] == SMS]]:
            sent[int(customer)] = sent.get(int(customer), 0) + 1


def test_the_ladder_climbs_one_step_at_a_time():
    world = world_with(harm__opts_out=0, harm__per_contact=0)
    spy = Spy(Ladder())
    year(spy, world)
    ages = {}
    for day, ids, actions, *_ in spy.asked:
        acts = actions[:, 0] != WAIT
        assert (actions[acts][:, [0, 1, 3]] == 0).all()
        for case, action in zip(ids[acts], actions[acts], strict=True):
            ages.setdefault(int(case), []).append((day - int(world.due_day[case]), int(action[2])))
    for steps in ages.values():
        assert [tone for _, tone in steps] == list(range(len(steps)))
        for (age, _), due in zip(steps, (3, 10, 20, 30), strict=False):
            assert age >= due
    first = np.array([steps[0][0] for steps in ages.values()])
    assert set(first) == {3, 4}
    assert max(len(steps) for steps in ages.values()) == 4


def test_chance_takes_every_allowed_branch_alike():
    world = world_with(cases=4000)
    spy = Spy(Random(7, acts=1.0))
    year(spy, world)
    late = [
        actions for day, ids, actions, _, allowed, *_ in spy.asked
        for actions in [actions[allowed.channel_slot[:, ::6].all(axis=1)]]
    ]  # fmt: skip
    actions = np.concatenate(late)
    for factor, levels in ((0, 4), (1, 6), (3, 2)):
        counts = np.bincount(actions[:, factor], minlength=levels)
        expected = len(actions) / levels
        assert ((counts - expected) ** 2 / expected).sum() < 25


def test_the_oracle_beats_the_ladder_and_the_ladder_beats_nothing():
    for seed in range(3):
        world = World.draw(300, seed, days=100)
        nothing, ladder, oracle = (year(chooser, world) for chooser in (Waiting(), Ladder(), Oracle()))
        assert nothing.value < ladder.value < oracle.value
        gain = oracle.rewards - ladder.rewards
        assert gain.mean() > 3 * gain.std() / np.sqrt(300)


def test_knowing_tastes_and_contacting_freely_is_worth_something():
    world = World.draw(600, 6, days=90)
    best, blunt, reluctant = (
        year(oracle, world) for oracle in (Oracle(), Oracle(tastes=False), Oracle(reluctance=0.1))
    )
    assert blunt.value < best.value
    assert reluctant.value < best.value
    assert reluctant.contacts_made < 0.8 * best.contacts_made


def test_the_oracle_gets_what_its_plans_promise():
    world = World.draw(1000, 5, days=90)
    oracle = Oracle()
    result = year(oracle, world)
    miss = oracle.expected - result.rewards
    assert abs(miss.mean()) < 0.012 + 3 * miss.std() / np.sqrt(len(world))


def contacts(world, age, gap):
    """(chance to pay, worth of the money, other losses) of each contact allowed to the one customer of a world."""
    f, reach, day = world.figures, world.customers.reach[0], int(world.due_day[0]) + age
    one = np.zeros(1, dtype=np.intp)
    for channel, band, tone in product(range(4), range(6), range(4)):
        if age < CHANNEL_FROM[channel] or age < TONE_FROM[tone]:
            continue
        pays = world.chance(
            one, day=day, channel=one + channel, band=one + band, tone=one + tone, offer=one,
            contacts=one + 1, gap=one + gap,
        )[0]  # fmt: skip
        harm = 0.5 * f.number("harm", "complains_pressed")
        harm += 0.3 * f.number("harm", "opts_out_pressed") * (channel != LETTER)
        harm *= reach[channel] * f.numbers("effects", "harshness")[tone]
        cost = (f.numbers("channels", "price_minor")[channel] + 100) / world.amount_minor[0]
        delay = 0.6 + f.number("response", "delay_hours") / 24 + 2 * (channel == LETTER)
        yield reach[channel] * pays, worth(age + delay), harm + cost


def worth(age):
    return 1 - 0.01 * age if age <= CASE_DAYS + 1 else 0.0


def test_the_plan_of_one_case_is_the_best_answer_in_plain_recursion():
    """One customer who pays or does not, by recursion over age and days since the last contact and the one before."""
    world = world_with(
        seed=3, cases=1, response__fatigue=1.0, harm__per_contact=0, response__promises=[0.0] * 5,
        response__disputes=[0.0] * 5, response__says_paid=0.0, year__in_part=[0.0] * 5, harm__complains=0,
        harm__opts_out=0, year__plan_effect=0.0,
    )  # fmt: skip
    due, one = int(world.due_day[0]), np.zeros(1, dtype=np.intp)

    @cache
    def choices(age, gap):
        return list(contacts(world, age, gap))

    @cache
    def value(age, last, before):
        if age > CASE_DAYS:
            return 0.0
        own = world.daily_chance(one, due + age, age)[0]

        def tomorrow(a, b):
            return own * worth(age + 0.5) + (1 - own) * value(age + 1, min(a + 1, 7), min(b + 1, 7))

        wait = tomorrow(last, before)
        if world.calendar.weekday[due + age] == SUNDAY or last < 2 or before < 7:
            return wait
        otherwise = tomorrow(0, last)
        best = max(pays * money + (1 - pays) * otherwise - lost for pays, money, lost in choices(age, last))
        return max(wait, best)

    oracle = Oracle()
    year(oracle, world)
    assert oracle.expected[0] == pytest.approx(value(1, 7, 7), abs=2e-4)


def test_a_policy_decides_as_it_would_alone_and_learns_what_was_delivered():
    spy, policy = Spy(Waiting()), Policy(SPACE, FEATURES)
    world = world_with(cases=60, days=80)
    year(spy, world)
    chooser = PolicyChooser(policy, seed=1, every=20)
    day, ids, _, contexts, allowed, *_ = spy.asked[10]
    alone = policy.decide(contexts, allowed, seed=1, ids=ids * 1024 + day)
    assert (chooser.choose(day, contexts, allowed, ids) == alone.actions).all()
    for lessons in range(1, 31):
        chooser.learn(contexts, alone.actions, np.zeros(len(ids)), ids=ids, days=ids)
        assert policy.learned == lessons // 20 * 20 * len(ids)
    result = year(PolicyChooser(policy, seed=2, every=30), world)
    assert result.contacts_made > 0


def test_the_share_of_the_gap_is_a_ratio_of_sums():
    base = year(Waiting(), world_with(cases=4))

    def worth(seed, value):
        return replace(base, seed=seed, rewards=np.array([value, 0.0, 0.0, 0.0]))

    ladder, best = [worth(0, 1.0), worth(1, 2.0)], [worth(0, 3.0), worth(1, 4.0)]
    found = gap_share([worth(0, 2.5), worth(1, 2.5)], ladder, best)
    assert found.share == pytest.approx((1.5 + 0.5) / 4)
    assert found.se == pytest.approx(np.sqrt(0.5 * ((0.25 - 0.5) ** 2 + (0.75 - 0.5) ** 2)))
    assert found.simulated
    assert gap_share(ladder, ladder, best).share == 0
    assert gap_share(best[:1], ladder[:1], best[:1]).se is None
    with pytest.raises(InputError, match="same years"):
        gap_share(best, ladder[::-1], best)
    with pytest.raises(InputError, match="no gap"):
        gap_share(best, best, ladder)


def test_nobody_and_one_case_make_a_year_too():
    for chooser in (Waiting(), Ladder(), Random(1), Oracle()):
        nobody = play(chooser, seed=1, cases=0)
        assert (nobody.value, nobody.recovered, nobody.mean_days, nobody.customer_days) == (0.0, 0.0, None, 0)
        single = play(chooser, seed=1, cases=1)
        assert single.cases == len(single.rewards) == 1
        assert 1 <= single.customer_days <= CASE_DAYS


def test_bad_requests_say_what_is_wrong():
    with pytest.raises(InputError, match="days"):
        World.draw(10, 0, days=62)
    with pytest.raises(InputError, match="number of cases"):
        World.draw(-1, 0)
    assert World.draw(10, 0, days=63).due_day.max() == 0
    with pytest.raises(InputError, match="another seed"):
        play(Waiting(), seed=1, cases=10, world=World.draw(10, 2))
    with pytest.raises(InputError, match="whole days"):
        YearSettings(RewardSettings(horizon_days=2.5, discount_per_day=0.01))
    with pytest.raises(InputError, match="whole days"):
        YearSettings(RewardSettings(discount_per_day=0.02))
