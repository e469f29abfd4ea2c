"""Answers by e-mail over a real IMAP conversation, matched, kept once, answered."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import OperationalError
from pydantic import SecretStr

from kulanz.claims.models import Hold
from kulanz.claims.queries import active_holds
from kulanz.config.schedule import SCHEDULE
from kulanz.contact.models import ContactPoint
from kulanz.events.models import Event
from kulanz.kernel.errors import ConflictError, InputError, NotFoundError
from kulanz.kernel.settings import settings as env
from kulanz.outreach import tasks
from kulanz.outreach.dispatcher import dispatch
from kulanz.outreach.inbound import actions, tags
from kulanz.outreach.inbound.answering import answer, needs_no_answer
from kulanz.outreach.inbound.mailbox import Collected, MailboxDownError, collect
from kulanz.outreach.inbound.rules import PER_DAY
from kulanz.outreach.inbound.thread import thread
from kulanz.outreach.models import Answer, InboundMessage, Message
from kulanz.tenancy.scope import scope
from kulanz.testing.imap import ImapMailbox, serving

pytestmark = pytest.mark.usefixtures("creditor")
ERIKA = "k1@customers.example"


@pytest.fixture
def mailbox() -> Iterator[ImapMailbox]:
    with serving(ImapMailbox()) as box:
        yield box


@pytest.fixture
def reminded(make_case: Any, queue: Any, sink: Any) -> Any:
    """A case whose customer got a reminder; the mail lies in the sink."""
    case = make_case("K1")
    queue(case)
    dispatch()
    return case


def reply(text: str, to: str = "", sender: str = ERIKA, number: int = 1, **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "rechnung@lindenhof.example", "Re: Rechnung"
    mail["Message-ID"] = f"<{number}@customers.example>"
    if to:
        mail["In-Reply-To"] = to
    for name, value in headers.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def read_all(mailbox: ImapMailbox) -> Collected:
    return collect(mailbox.url, actions.take_in)


def only() -> InboundMessage:
    return InboundMessage.objects.get()


def test_a_reply_reaches_the_case_and_nobody_is_chased_while_waiting(reminded, queue, sink, mailbox) -> None:
    wire_id = sink.mails[0]["Message-ID"]
    quoted = (
        "\n\nAm 3. März 2026 um 09:00 schrieb Lindenhof <rechnung@lindenhof.example>:\n> Bitte zahlen Sie."
    )
    mailbox.deliver(reply(f"Wofür ist die Rechnung?{quoted}", wire_id))
    assert read_all(mailbox) == Collected(kept=1)
    kept = only()
    assert (kept.case_id, kept.text, kept.verified) == (reminded.id, "Wofür ist die Rechnung?", True)
    assert (kept.state, kept.channel) == ("waiting", "email")
    assert [hold.reason for hold in active_holds(reminded.id)] == ["question"]
    assert mailbox.unseen == []
    event = Event.objects.get(type="message.received")
    assert (event.subject_id, event.payload) == (
        kept.id, {"case": reminded.id, "channel": "email", "state": "waiting"},
    )  # fmt: skip
    queue(reminded, decision=2)
    assert dispatch().stopped == 1


def test_the_answer_goes_by_mail_even_now_and_the_case_rests_a_little_longer(
    reminded, sink, mailbox, clock
) -> None:
    mailbox.deliver(reply("Wofür?", sink.mails[0]["Message-ID"]))
    read_all(mailbox)
    done = answer(reminded.id, "Für die Schuhe.\n\nViel Freude damit!", author="agnes", by="agent:1")
    assert done.mailed
    assert dispatch().sent == 1
    mail = sink.mails[-1]
    plain = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "Unsere Antwort auf Ihre Nachricht"
    assert "Für die Schuhe." in plain
    assert "Viel Freude damit!" in plain
    assert re.search(r"/p/[\w-]+/messages/", plain)
    assert (only().state, only().done_by) == ("done", "agent:1")
    assert [hold.reason for hold in active_holds(reminded.id)] == ["question"]
    clock.advance(timedelta(days=3) - timedelta(seconds=1))
    assert len(active_holds(reminded.id)) == 1
    clock.advance(timedelta(seconds=1))
    assert active_holds(reminded.id) == ()


def test_an_answer_to_the_answer_waits_again_without_an_end(reminded, sink, mailbox, clock) -> None:
    mailbox.deliver(reply("Wofür?", sink.mails[0]["Message-ID"]))
    read_all(mailbox)
    answer(reminded.id, "Für die Schuhe.", author="agnes", by="agent:1")
    clock.advance(timedelta(hours=1))
    dispatch()
    mailbox.deliver(reply("Welche?", sink.mails[-1]["Message-ID"], number=2))
    read_all(mailbox)
    [hold] = active_holds(reminded.id)
    assert (hold.reason, hold.until_at) == ("question", None)
    assert [said.who for said in thread(reminded.id)] == ["sent", "customer", "team", "customer"]
    assert [said.waiting for said in thread(reminded.id)] == [False, False, False, True]


def test_an_older_mail_of_the_thread_is_enough(reminded, sink, mailbox) -> None:
    known = sink.mails[0]["Message-ID"]
    mailbox.deliver(reply("Hallo", "<lost@x.example>", References=f"{known} <lost@x.example>"))
    read_all(mailbox)
    assert only().case_id == reminded.id


def test_a_stranger_who_answers_is_heard_but_not_believed(reminded, sink, mailbox) -> None:
    mailbox.deliver(reply("Ich bin ihr Sohn.", sink.mails[0]["Message-ID"], sender="son@x.example"))
    read_all(mailbox)
    assert (only().case_id, only().verified) == (reminded.id, False)
    assert [said.verified for said in thread(reminded.id)] == [True, False]


def test_the_senders_name_alone_opens_no_case(reminded, mailbox) -> None:
    mailbox.deliver(reply("Bitte löschen Sie meine Schulden.", sender=ERIKA))
    read_all(mailbox)
    assert (only().case_id, only().state, only().sender) == (None, "unmatched", ERIKA)
    assert active_holds(reminded.id) == ()


def test_another_creditors_message_id_matches_nothing(reminded, sink, mailbox, other_creditor) -> None:
    mailbox.deliver(reply("Hallo", sink.mails[0]["Message-ID"]))
    with scope(other_creditor.id):
        read_all(mailbox)
        assert only().state == "unmatched"
    assert not InboundMessage.objects.exists()


def test_a_tagged_address_says_whose_answer_it_is(reminded, sink, mailbox, monkeypatch) -> None:
    monkeypatch.setattr(env(), "reply_plus", True)
    answer(reminded.id, "Guten Tag", author="agnes", by="agent:1")
    dispatch()
    address = str(sink.mails[-1]["Reply-To"])
    assert address == tags.tagged("rechnung@lindenhof.example", reminded.id)
    assert len(address.partition("@")[0]) <= 64
    mailbox.deliver(reply("Hallo", To=address.upper()))
    read_all(mailbox)
    assert only().case_id == reminded.id


def test_a_forged_or_foreign_tag_names_nothing(reminded, make_case, other_creditor) -> None:
    mine, other = tags.tagged("a@b.example", reminded.id), make_case("K2")
    assert tags.case_of([mine]) == reminded.id
    assert tags.case_of([mine.replace(f"+k{reminded.id}-", f"+k{other.id}-")]) is None
    assert tags.case_of(["a+k1@b.example", "a@b.example", ""]) is None
    with scope(other_creditor.id):
        assert tags.case_of([mine]) is None
    assert tags.tagged("a" * 60 + "@b.example", 1) == "a" * 60 + "@b.example"


def test_a_genuine_tag_of_a_case_that_is_gone_leaves_the_mail_to_a_person(reminded, mailbox) -> None:
    mailbox.deliver(reply("Hallo", To=tags.tagged("rechnung@lindenhof.example", 999_999)))
    assert read_all(mailbox) == Collected(kept=1)
    assert only().state == "unmatched"


def test_the_same_mail_twice_is_one_message_and_one_effect(reminded, sink, mailbox) -> None:
    raw = reply("Hallo", sink.mails[0]["Message-ID"])
    mailbox.deliver(raw)
    mailbox.deliver(b"Received: by another way\n" + raw)
    assert read_all(mailbox) == Collected(kept=2)
    assert InboundMessage.objects.count() == 1
    assert Event.objects.filter(type="message.received").count() == 1
    assert Hold.objects.get().note == ""


def test_a_reused_message_id_with_other_words_is_not_lost(reminded, sink, mailbox) -> None:
    for text in ("Erstens", "Zweitens"):
        mailbox.deliver(reply(text, sink.mails[0]["Message-ID"]))
    read_all(mailbox)
    assert [said.text for said in thread(reminded.id) if said.who == "customer"] == ["Erstens", "Zweitens"]


def test_a_crash_between_keeping_and_marking_reads_again_and_keeps_once(reminded, sink, mailbox) -> None:
    mailbox.deliver(reply("Hallo", sink.mails[0]["Message-ID"]))
    mailbox.breaks_at = "UID STORE"
    with pytest.raises(MailboxDownError):
        read_all(mailbox)
    assert (InboundMessage.objects.count(), mailbox.unseen) == (1, [1])
    mailbox.breaks_at = ""
    assert read_all(mailbox) == Collected(kept=1)
    assert (InboundMessage.objects.count(), mailbox.unseen) == (1, [])


def test_nothing_is_marked_before_it_is_kept(mailbox) -> None:
    mailbox.deliver(reply("Eins"))
    mailbox.deliver(reply("Zwei", number=2))

    def keep(raw: bytes) -> None:
        if b"Eins" in raw:
            raise OperationalError("no space left")

    assert collect(mailbox.url, keep) == Collected(kept=1, failed=1)
    assert mailbox.unseen == [1]


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "UID SEARCH", "UID FETCH"])
def test_a_connection_that_breaks_loses_nothing(mailbox, command) -> None:
    mailbox.deliver(reply("Hallo"))
    mailbox.breaks_at = command
    with pytest.raises(MailboxDownError):
        read_all(mailbox)
    assert mailbox.unseen == [1]


def test_a_wrong_password_is_said_without_naming_it(mailbox) -> None:
    with pytest.raises(MailboxDownError) as told:
        collect(mailbox.url.replace("secret", "s3cret"), actions.take_in)
    assert "s3cret" not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["imap://u:p@mail.example/INBOX", "pop3://u:p@127.0.0.1", "imaps:///INBOX", ""]
)
def test_an_address_that_will_not_do_is_refused_at_once(url) -> None:
    with pytest.raises(InputError):
        collect(url, actions.take_in)


def test_machines_make_no_task_and_stop_nothing(reminded, sink, mailbox) -> None:
    wire_id = sink.mails[0]["Message-ID"]
    mailbox.deliver(reply("Bin im Urlaub", wire_id, Auto_Submitted="auto-replied"))
    mailbox.deliver(reply("Wir selbst", wire_id, sender="rechnung@lindenhof.example", number=2))
    read_all(mailbox)
    assert set(InboundMessage.objects.values_list("state", flat=True)) == {"automatic"}
    assert active_holds(reminded.id) == ()
    assert [said.who for said in thread(reminded.id)] == ["sent"]


def test_more_than_a_person_writes_is_kept_apart(reminded, sink, mailbox) -> None:
    for number in range(PER_DAY + 2):
        mailbox.deliver(reply(f"Nr. {number}", sink.mails[0]["Message-ID"], number=number))
    read_all(mailbox)
    assert InboundMessage.objects.filter(state="waiting").count() == PER_DAY
    assert InboundMessage.objects.filter(state="automatic").count() == 2


def test_words_of_need_in_a_mail_stop_everything(reminded, sink, mailbox) -> None:
    mailbox.deliver(reply("Ich habe meine Arbeit verloren.", sink.mails[0]["Message-ID"]))
    read_all(mailbox)
    assert sorted(hold.reason for hold in active_holds(reminded.id)) == ["question", "vulnerable"]


def test_a_person_says_whose_mail_it_is_once(reminded, mailbox) -> None:
    mailbox.deliver(reply("Mein Mann ist gestorben."))
    read_all(mailbox)
    with pytest.raises(NotFoundError):
        actions.assign(only().id, 999_999, by="agent:1")
    actions.assign(only().id, reminded.id, by="agent:1")
    assert (only().case_id, only().state) == (reminded.id, "waiting")
    assert sorted(hold.reason for hold in active_holds(reminded.id)) == ["question", "vulnerable"]
    for again in (
        lambda: actions.assign(only().id, reminded.id, by="a"),
        lambda: actions.set_aside(only().id, by="a"),
    ):
        with pytest.raises(ConflictError):
            again()


def test_a_mail_that_concerns_nobody_is_set_aside_and_kept(mailbox) -> None:
    mailbox.deliver(reply("Kaufen Sie Teppiche!"))
    read_all(mailbox)
    actions.set_aside(only().id, by="agent:1")
    assert (only().state, only().text) == ("done", "Kaufen Sie Teppiche!")
    assert Event.objects.get(type="message.set_aside").payload == {"by": "agent:1"}


def test_no_answer_is_needed_for_a_thank_you(reminded, sink, mailbox) -> None:
    mailbox.deliver(reply("Danke!", sink.mails[0]["Message-ID"]))
    read_all(mailbox)
    assert needs_no_answer(reminded.id, by="agent:1")
    assert not needs_no_answer(reminded.id, by="agent:1")
    assert active_holds(reminded.id) == ()
    assert only().state == "done"


def test_who_has_no_address_finds_the_answer_on_the_page(make_case) -> None:
    case = make_case("K3", email=None)
    actions.write(case.id, "Hallo", "form-1")
    assert not answer(case.id, "Guten Tag", author="agnes", by="agent:1").mailed
    assert not Message.objects.exists()
    assert Answer.objects.get().text == "Guten Tag"


def test_a_form_sent_twice_is_one_message_and_a_flood_ends(make_case) -> None:
    case = make_case("K3")
    first, again = (actions.write(case.id, "Hallo", "form-1") for _ in range(2))
    assert first.id == again.id
    for number in range(2, PER_DAY + 1):
        actions.write(case.id, "Hallo", f"form-{number}")
    with pytest.raises(actions.TooManyError):
        actions.write(case.id, "Hallo", "one too many")


def test_the_task_reads_each_creditors_own_mailbox(
    reminded, sink, mailbox, creditor, other_creditor, monkeypatch
) -> None:
    mailbox.deliver(reply("Hallo", sink.mails[0]["Message-ID"]))
    monkeypatch.setattr(env(), "imap_urls", {"lindenhof": SecretStr(mailbox.url)})
    assert tasks.read_mail.call(other_creditor.id) == 0
    assert tasks.read_mail.call(creditor.id) == 1
    assert tasks.read_mail.call(creditor.id) == 0
    assert only().case_id == reminded.id
    assert "kulanz.outreach.tasks.read_mail" in {each.path for each in SCHEDULE}


def test_a_mailbox_that_is_down_is_no_error_of_the_worker(mailbox, creditor, monkeypatch) -> None:
    monkeypatch.setattr(env(), "imap_urls", {"lindenhof": SecretStr(mailbox.url)})
    mailbox.breaks_at = "LOGIN"
    assert tasks.read_mail.call(creditor.id) == 0


def test_an_old_address_of_the_customer_is_still_theirs(reminded, sink, mailbox) -> None:
    ContactPoint.objects.update(state="bounced")
    mailbox.deliver(reply("Hallo", sink.mails[0]["Message-ID"], sender=ERIKA.upper()))
    read_all(mailbox)
    assert only().verified


def test_a_second_answer_keeps_the_time_to_read_the_first(make_case, clock) -> None:
    case = make_case("K3")
    actions.write(case.id, "Wofür?", "form-1")
    answer(case.id, "Für die Schuhe.", author="agnes", by="agent:1")
    clock.advance(timedelta(minutes=5))
    answer(case.id, "Größe 42.", author="agnes", by="agent:1")
    assert not needs_no_answer(case.id, by="agent:2")
    assert [hold.reason for hold in active_holds(case.id)] == ["question"]


def test_what_arrived_while_the_answer_was_written_goes_on_waiting(make_case) -> None:
    case = make_case("K3")
    first = actions.write(case.id, "Wofür?", "form-1")
    later = actions.write(case.id, "Ich habe schon gezahlt!", "form-2")
    answer(case.id, "Für die Schuhe.", author="agnes", by="agent:1", seen=first.id)
    assert InboundMessage.objects.get(state="waiting").id == later.id
    assert [hold.until_at for hold in active_holds(case.id)] == [None]
    assert not needs_no_answer(case.id, by="agent:1", seen=first.id)
    assert needs_no_answer(case.id, by="agent:1", seen=later.id)


def test_out_of_office_notes_do_not_keep_the_customer_from_writing(reminded, sink) -> None:
    for number in range(PER_DAY):
        actions.take_in(
            reply("away", sink.mails[0]["Message-ID"], number=number, Auto_Submitted="auto-replied")
        )
    assert actions.write(reminded.id, "Ich bin es selbst.", "form-1").state == "waiting"


def test_need_is_noticed_however_much_was_written(reminded, sink) -> None:
    for number in range(PER_DAY):
        actions.write(reminded.id, "Hallo", f"form-{number}")
    actions.take_in(reply("Ich will nicht mehr leben.", sink.mails[0]["Message-ID"]))
    assert "vulnerable" in [hold.reason for hold in active_holds(reminded.id)]
    Hold.objects.filter(reason="vulnerable").update(lifted_at=Hold.objects.first().from_at)
    with pytest.raises(actions.TooManyError):
        actions.write(reminded.id, "Ich will nicht mehr leben.", "one too many")
    assert "vulnerable" in [hold.reason for hold in active_holds(reminded.id)]


def test_mails_that_can_never_be_kept_do_not_starve_those_behind(mailbox) -> None:
    kept: list[bytes] = []

    def keep(raw: bytes) -> None:
        if b"bad" in raw:
            raise AttributeError("a mistake of ours")
        kept.append(raw)

    for number in range(5):
        mailbox.deliver(reply("bad", number=number))
    mailbox.deliver(reply("good", number=9))
    assert collect(mailbox.url, keep, limit=2) == Collected(kept=1, failed=5)
    assert len(kept) == 1


@pytest.mark.parametrize("change", [("INBOX", "R%C3%BCckl%C3%A4ufer"), ("word", "w%C3%B6rd")])
def test_letters_that_the_protocol_lacks_are_said(mailbox, change, creditor, monkeypatch) -> None:
    url = mailbox.url.replace(*change)
    with pytest.raises(InputError):
        collect(url, actions.take_in)
    monkeypatch.setattr(env(), "imap_urls", {"lindenhof": SecretStr(url)})
    assert tasks.read_mail.call(creditor.id) == 0


def test_an_address_that_grows_in_lower_case_is_kept(reminded, sink) -> None:
    raw = reply("Merhaba", sink.mails[0]["Message-ID"]).replace(
        f"From: {ERIKA}".encode(), ("From: <" + "İ" * 64 + "@" + "İ" * 250 + ">").encode()
    )
    assert actions.take_in(raw).case_id == reminded.id
    assert len(only().sender) <= 320
