"""What has to be said beside a copy of the data: Art. 15 (1) and (2) GDPR."""

from django.utils.translation import gettext as _


def paragraphs(privacy_url: str) -> list[tuple[str, str]]:
    """Heading and text, in the language that is active."""
    where = _("The privacy notice says how long: %(url)s") % {"url": privacy_url} if privacy_url else ""
    return [
        (
            _("What it is for"),
            _(
                "To have open invoices paid: to tell you about them, take payments, agree instalments, answer you, keep"
                " the books, and choose when and how we write."
            ),
        ),
        (
            _("Where it comes from"),
            _(
                "From the contract and the invoices, from what you did and wrote on your page or by e-mail, from"
                " payment services and banks. Beside each address stands its source."
            ),
        ),
        (
            _("Who gets it"),
            _(
                "The services that deliver our messages and carry out payments, and whoever takes a claim over from us;"
                " the tables say when."
            ),
        ),
        (
            _("How long it is kept"),
            " ".join(
                filter(
                    None,
                    [
                        _(
                            "As long as something is open, and afterwards as long as the law asks for the books."
                        ),
                        where,
                    ],
                )
            ),
        ),
        (
            _("Decisions made by a program"),
            _(
                "A program looks at how this account was paid and picks the day, channel, tone and offer of messages."
                " Each decision is listed with its reasons. You may object on your page, without a reason."
            ),
        ),
        (
            _("Your rights"),
            _(
                "You may have data corrected, deleted or restricted, object to their use, and take them with you. You"
                " may complain to a data protection authority."
            ),
        ),
    ]
