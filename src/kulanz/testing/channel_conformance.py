"""What every channel must do. Subclass it in your tests (the name beginning with Test) and fill in the methods.

    class TestMyChannel(ChannelConformance):
        def make_channel(self): ...

It needs a provider, or a simulator of one, that these tests may send to.
"""

from dataclasses import replace
from datetime import UTC, datetime

from kulanz.contact.models import Channel as Code
from kulanz.outreach.channels.port import Channel, ChannelDownError, Outcome, Outgoing, Sender

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class ChannelConformance:
    """A class attribute left empty leaves out the tests that need such an address."""

    good_address = ""
    malformed_address = ""
    refused_address = ""
    """The provider refuses it for good."""
    deferred_address = ""
    """The provider asks to come again later."""
    breaking_address = ""
    """The provider takes the message, but the connection breaks before it says so."""

    def make_channel(self) -> Channel:
        raise TypeError(f"{type(self).__name__} must say how its channel is made")

    def make_unreachable(self) -> Channel:
        """The same channel, its provider switched off."""
        raise TypeError(f"{type(self).__name__} must say how an unreachable channel is made")

    def arrived(self, wire_id: str) -> list[str]:
        """The text of each copy that the provider took under this id."""
        raise TypeError(f"{type(self).__name__} must say what arrived")

    def outgoing(self, number: int, recipient: str = "") -> Outgoing:
        return Outgoing(
            wire_id=f"<conformance-{number}@lindenhof.example>",
            sender=Sender("Lindenhof Versand", "rechnung@lindenhof.example", "hilfe@lindenhof.example"),
            recipient_name="Jörg Beispiel",
            recipient=recipient or self.good_address,
            subject="Zahlungserinnerung: 100,00 €",
            text="Guten Tag, bei uns sind noch 100,00 € offen.\nViele Grüße\n",
            html="<p>Guten Tag, bei uns sind noch 100,00&nbsp;€ offen.</p>",
            language="de",
            unsubscribe_url="https://example.org/p/abc/unsubscribe/",
            at=AT,
        )

    def test_its_code_is_a_channel(self) -> None:
        assert self.make_channel().code in Code.values

    def test_a_message_arrives_once(self) -> None:
        channel = self.make_channel()
        channel.open()
        assert channel.send(self.outgoing(1)).outcome is Outcome.ACCEPTED
        channel.close()
        copies = self.arrived(self.outgoing(1).wire_id)
        assert len(copies) == 1
        assert "100,00 €" in copies[0]

    def test_one_opening_carries_many_messages(self) -> None:
        channel = self.make_channel()
        channel.open()
        for number in range(10, 30):
            assert channel.send(self.outgoing(number)).outcome is Outcome.ACCEPTED
        channel.close()
        assert all(len(self.arrived(self.outgoing(number).wire_id)) == 1 for number in range(10, 30))

    def test_opening_and_closing_twice_is_harmless(self) -> None:
        channel = self.make_channel()
        channel.close()
        channel.open()
        channel.open()
        channel.close()
        channel.close()
        channel.open()
        assert channel.send(self.outgoing(2)).outcome is Outcome.ACCEPTED
        channel.close()

    def test_a_malformed_address_is_refused_and_nothing_is_handed_over(self) -> None:
        self._refuses(3, self.malformed_address, Outcome.REFUSED)

    def test_an_address_refused_for_good_is_refused(self) -> None:
        self._refuses(4, self.refused_address, Outcome.REFUSED)

    def test_an_address_refused_for_now_is_deferred(self) -> None:
        self._refuses(5, self.deferred_address, Outcome.DEFERRED)

    def test_a_hand_over_that_breaks_off_is_uncertain(self) -> None:
        if not self.breaking_address:
            return
        channel = self.make_channel()
        channel.open()
        broken = channel.send(self.outgoing(6, self.breaking_address))
        assert broken.outcome is Outcome.UNCERTAIN
        assert channel.send(self.outgoing(7)).outcome is Outcome.ACCEPTED, (
            "the next one needs a new connection"
        )
        channel.close()

    def test_line_breaks_in_names_and_subject_stay_text(self) -> None:
        channel = self.make_channel()
        channel.open()
        sly = "Eve\r\nBcc: other@customers.example\r\n\r\nInjected"
        message = replace(
            self.outgoing(8),
            recipient_name=sly,
            subject=sly,
            sender=Sender(sly, "rechnung@lindenhof.example", ""),
        )
        assert channel.send(message).outcome is Outcome.ACCEPTED
        channel.close()
        copies = self.arrived(message.wire_id)
        assert len(copies) == 1
        assert "Injected" not in copies[0]

    def test_a_provider_that_is_down_says_so_before_anything_is_handed_over(self) -> None:
        channel = self.make_unreachable()
        try:
            channel.open()
            channel.send(self.outgoing(9))
        except ChannelDownError:
            channel.close()
            return
        raise AssertionError("a provider that cannot be reached must raise ChannelDownError")

    def test_what_arrived_is_never_denied_and_what_did_not_is_never_claimed(self) -> None:
        channel = self.make_channel()
        channel.open()
        channel.send(self.outgoing(31))
        assert channel.was_delivered(self.outgoing(31).wire_id) is not False
        assert channel.was_delivered("<never-sent@lindenhof.example>") is not True
        channel.close()

    def _refuses(self, number: int, address: str, outcome: Outcome) -> None:
        if not address:
            return
        channel = self.make_channel()
        channel.open()
        assert channel.send(self.outgoing(number, address)).outcome is outcome
        assert self.arrived(self.outgoing(number).wire_id) == []
        assert channel.send(self.outgoing(number + 100)).outcome is Outcome.ACCEPTED, (
            "one refusal stops no other"
        )
        channel.close()
