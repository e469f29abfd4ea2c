"""The customer's statement of account, on the page and on paper."""

import io
import re

import pypdf
import pytest

from kulanz.documents import pdf
from kulanz.documents.pdf import PdfUnavailableError
from kulanz.testing.psp_http import threaded_server


def test_the_page_explains_every_entry(visitor) -> None:
    assert "statement/" in visitor.text()
    page = visitor.text("statement/")
    assert "Kontoauszug" in page
    assert "Vereinbarter Betrag aus Ihrem Vertrag." in page
    assert "100,00" in page
    assert "Statement of account" in visitor.text("statement/", data={"lang": "en"})


def test_the_paper_holds_the_same_and_says_nothing_in_its_name(visitor) -> None:
    answer = visitor.get("statement.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="statement.pdf"'
    assert answer["Cache-Control"] == "no-store"
    document = pypdf.PdfReader(io.BytesIO(answer.content))
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in document.pages))
    for words in ("Kontoauszug", "Lindenhof Versand GmbH", "R-K1", "Insgesamt offen", "100,00"):
        assert words in text
    assert document.trailer["/Root"]["/Lang"] == "de"
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert document.metadata.title.startswith("Kontoauszug")


def test_without_the_library_the_page_still_works(visitor, monkeypatch) -> None:
    def missing():
        raise PdfUnavailableError

    monkeypatch.setattr(pdf, "_weasyprint", missing)
    answer = visitor.get("statement.pdf")
    assert answer.status_code == 503
    assert "Das PDF kann gerade nicht erstellt werden." in answer.content.decode()


def test_a_document_loads_nothing_from_elsewhere(tmp_path) -> None:
    """A picture on a server that would answer, and one on the disk: neither is in the document."""
    secret = tmp_path / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>x</text></svg>')
    plain = pdf.render('<html lang="en"><title>x</title><p>text</p></html>')
    with threaded_server(_refuse_to_be_asked) as url:
        made = pdf.render(
            f'<html lang="en"><title>x</title><p>text</p><img src="{url}/x.png" alt="a">'
            f'<img src="{secret.as_uri()}" alt="b"></html>'
        )
    assert _asked == []
    for document in (plain, made):
        assert not any(page.images for page in pypdf.PdfReader(io.BytesIO(document)).pages)


_asked: list[str] = []


def _refuse_to_be_asked(environ, start_response):
    _asked.append(environ["PATH_INFO"])
    start_response("404 Not Found", [])
    return [b""]


@pytest.mark.parametrize("token", ["x" * 32, "statement"])
def test_a_guessed_token_opens_no_statement(client, db, token) -> None:
    assert client.get(f"/p/{token}/statement/").status_code == 404
    assert client.get(f"/p/{token}/statement.pdf").status_code == 404
