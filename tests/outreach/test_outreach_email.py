"""The e-mail channel against a real SMTP server."""

from dataclasses import replace
from typing import Any

import pytest

from kulanz.outreach.channels import registry
from kulanz.outreach.channels.email import EmailChannel
from kulanz.outreach.channels.port import Channel, Outcome
from kulanz.testing.channel_conformance import ChannelConformance


class TestEmailConformance(ChannelConformance):
    good_address = "erika@customers.example"
    malformed_address = "erika@customers.example, other@customers.example"
    refused_address = "refused@customers.example"
    deferred_address = "later@customers.example"
    breaking_address = "breaks@customers.example"

    @pytest.fixture(autouse=True)
    def _server(self, sink: Any, settings: Any) -> None:
        self.sink, self.settings = sink, settings

    def make_channel(self) -> Channel:
        return EmailChannel()

    def make_unreachable(self) -> Channel:
        self.settings.EMAIL_PORT = 1
        return EmailChannel()

    def arrived(self, wire_id: str) -> list[str]:
        return [
            mail.get_body(("plain",)).get_content()
            for mail in self.sink.mails
            if mail["Message-ID"] == wire_id
        ]

    def test_the_headers_are_those_of_an_automatic_message(self) -> None:
        channel = EmailChannel()
        channel.open()
        channel.send(self.outgoing(50))
        channel.close()
        [mail] = self.sink.mails
        assert mail["Message-ID"] == "<conformance-50@lindenhof.example>"
        assert mail["Date"] == "Tue, 03 Mar 2026 09:00:00 +0000"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == "de"
        assert mail["From"] == "Lindenhof Versand <rechnung@lindenhof.example>"
        assert mail["Reply-To"] == "hilfe@lindenhof.example"
        assert mail["To"] == "Jörg Beispiel <erika@customers.example>"
        assert mail["Subject"] == "Zahlungserinnerung: 100,00 €"
        assert mail["List-Unsubscribe"] == "<https://example.org/p/abc/unsubscribe/>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]

    def test_a_name_with_line_breaks_adds_neither_header_nor_recipient(self) -> None:
        channel = EmailChannel()
        channel.open()
        channel.send(replace(self.outgoing(51), recipient_name="Eve\nBcc: other@customers.example"))
        channel.close()
        [mail] = self.sink.mails
        assert mail["Bcc"] is None
        assert self.sink.recipients == [["erika@customers.example"]]

    def test_a_message_refused_for_its_content_is_rejected_not_bounced(self) -> None:
        channel = EmailChannel()
        channel.open()
        assert channel.send(self.outgoing(52, "content@customers.example")).outcome is Outcome.REJECTED
        channel.close()

    def test_many_messages_use_one_connection(self) -> None:
        channel = EmailChannel()
        channel.open()
        for number in range(60, 65):
            channel.send(self.outgoing(number))
            assert self.sink.sessions == 1
        channel.close()


def test_email_is_a_channel_of_every_installation() -> None:
    assert isinstance(registry.get("email"), EmailChannel)
