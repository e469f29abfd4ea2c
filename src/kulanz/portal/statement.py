"""The statement of account, as page and as PDF."""

from django.http import HttpRequest, HttpResponse

from kulanz.claims import paper
from kulanz.claims.account import statement_of_account
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.kernel import clock
from kulanz.portal.access import Page, link_view


@link_view("GET", "HEAD", depth=1)
def page(request: HttpRequest, page: Page) -> HttpResponse:
    """Every entry with its date, legal basis and calculation."""
    return page.render(request, "statement", {"sheet": _sheet(page)})


@link_view("GET", "HEAD", depth=0)
def as_pdf(request: HttpRequest, page: Page) -> HttpResponse:
    """The same on paper; the file's name says nothing about the customer."""
    try:
        made = paper.as_pdf(_sheet(page), paper.letterhead())
    except PdfUnavailableError:
        return page.render(request, "statement", {"sheet": _sheet(page), "no_pdf": True}, status=503)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="statement.pdf"'
    return response


def _sheet(page: Page) -> paper.Sheet:
    today = clock.today(page.look.timezone)
    return paper.sheet(statement_of_account(page.statement.case_id, today), today, page.language)
