"""PDF from our own HTML: tagged, with its language and title, and nothing loaded from anywhere else."""

from importlib import resources
from typing import Any

from kulanz.kernel.errors import KulanzError


class PdfUnavailableError(KulanzError):
    """This machine lacks what makes PDFs; pages work without."""

    def __init__(self) -> None:
        super().__init__(
            "PDFs cannot be made on this machine: the system library pango is missing "
            "(Debian: apt install libpango-1.0-0 libpangoft2-1.0-0)."
        )


def render(html: str) -> bytes:
    """The document as PDF/UA-1, in the dress of documents/static/documents/paper.css.

    Raises PdfUnavailableError where the system library is missing. Nothing that `html` refers to is fetched.
    """
    weasyprint = _weasyprint()
    style = resources.files("kulanz.documents").joinpath("static/documents/paper.css").read_text("utf-8")
    nothing = weasyprint.URLFetcher(allowed_protocols=())
    document = weasyprint.HTML(string=html, url_fetcher=nothing)
    dress = weasyprint.CSS(string=style, url_fetcher=nothing)
    found: bytes = document.write_pdf(stylesheets=[dress], pdf_variant="pdf/ua-1")
    return found


def _weasyprint() -> Any:
    try:
        import weasyprint  # noqa: PLC0415 - loads system libraries that a small installation may lack
    except OSError:
        raise PdfUnavailableError from None
    return weasyprint
