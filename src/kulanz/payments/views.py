"""The address that payment providers call."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kulanz.kernel.errors import NotFoundError
from kulanz.payments.actions import handle_webhook
from kulanz.payments.methods.port import SignatureError


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, method: str) -> HttpResponse:
    """200 once the call's facts are stored (also when they were known), 400 when it is not the provider's."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        outcomes = handle_webhook(method, request.body, headers)
    except NotFoundError:
        return JsonResponse({"error": "unknown method"}, status=404)
    except SignatureError as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"outcomes": outcomes})
