"""Public pages; everything behind a token lies under /p/<token>/."""

from django.urls import path, re_path

from kulanz.portal import (
    credit,
    genuine,
    messages,
    offered,
    part,
    plan,
    preferences,
    statement,
    telling,
    views,
)
from kulanz.portal.account import data, overview, signing_in
from kulanz.portal.hardship import views as hardship

app_name = "portal"
urlpatterns = [
    re_path(
        r"^p/brand/(?P<brand_id>\d{1,18})-(?P<digest>[0-9a-f]{12})\.(?P<kind>css|svg)$",
        views.brand,
        name="brand",
    ),
    path("p/brand/<int:brand_id>/genuine/", genuine.genuine, name="genuine"),
    path("p/<str:token>/", views.first, name="first"),
    path("p/<str:token>/pay/", views.pay, name="pay"),
    path("p/<str:token>/part/", part.part, name="part"),
    path("p/<str:token>/return/<int:intent_id>/", views.back, name="back"),
    path("p/<str:token>/transfer/", views.transfer, name="transfer"),
    path("p/<str:token>/transfer/qr.svg", views.qr_code, name="qr"),
    path("p/<str:token>/statement/", statement.page, name="statement"),
    path("p/<str:token>/statement.pdf", statement.as_pdf, name="statement_pdf"),
    path("p/<str:token>/plan/", plan.plan, name="plan"),
    path("p/<str:token>/plan/agree/", plan.agree, name="plan_agree"),
    path("p/<str:token>/plan/pause/", plan.pause, name="plan_pause"),
    path("p/<str:token>/plan/anew/", plan.anew, name="plan_anew"),
    path("p/<str:token>/plan.pdf", plan.as_pdf, name="plan_pdf"),
    path("p/<str:token>/credit/", credit.credit, name="credit"),
    path("p/<str:token>/offer/", offered.decline, name="offer"),
    path("p/<str:token>/help/", hardship.help_, name="help"),
    path("p/<str:token>/later/", telling.later, name="later"),
    path("p/<str:token>/paid/", telling.paid, name="paid"),
    path("p/<str:token>/problem/", telling.problem, name="problem"),
    path("p/<str:token>/messages/", messages.messages, name="messages"),
    path("p/<str:token>/preferences/", preferences.preferences, name="preferences"),
    path("p/<str:token>/profiling/", preferences.profiling, name="profiling"),
    path("p/<str:token>/account/", overview.account, name="account"),
    path("p/<str:token>/account/enter/", signing_in.enter, name="account_enter"),
    path("p/<str:token>/account/send/", signing_in.send, name="account_send"),
    path("p/<str:token>/account/code/", signing_in.code, name="account_code"),
    path("p/<str:token>/account/leave/", signing_in.leave, name="account_leave"),
    path("p/<str:token>/account/case/<int:case_id>/", overview.case, name="account_case"),
    path("p/<str:token>/account/letters/<int:message_id>/", overview.letter, name="account_letter"),
    path("p/<str:token>/account/data/", data.data, name="account_data"),
    path("p/<str:token>/account/data.json", data.as_json, name="account_json"),
    path("p/<str:token>/account/data.pdf", data.as_pdf, name="account_pdf"),
    path("p/<str:token>/renew/", signing_in.renew, name="renew"),
    path("p/<str:token>/unsubscribe/", preferences.unsubscribe, name="unsubscribe"),
]
