"""Pages under /desk/."""

from django.urls import path

from kulanz.desk import acts, corrections, talk, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("language/", views.language, name="language"),
    path("<slug:slug>/cases/", views.cases, name="cases"),
    path("<slug:slug>/cases/<int:case_id>/", views.case, name="case"),
    path("<slug:slug>/cases/<int:case_id>/statement.pdf", views.statement_pdf, name="statement_pdf"),
    path("<slug:slug>/cases/<int:case_id>/hold/", acts.hold, name="hold"),
    path("<slug:slug>/cases/<int:case_id>/holds/<int:hold_id>/lift/", acts.lift, name="lift"),
    path("<slug:slug>/cases/<int:case_id>/transfer/", acts.transfer, name="transfer"),
    path("<slug:slug>/cases/<int:case_id>/note/", acts.note, name="note"),
    path("<slug:slug>/cases/<int:case_id>/answer/", talk.answer, name="answer"),
    path("<slug:slug>/cases/<int:case_id>/no-answer/", talk.no_answer, name="no_answer"),
    path("<slug:slug>/mails/<int:inbound_id>/", talk.mail, name="mail"),
    path("<slug:slug>/mails/<int:inbound_id>/assign/", talk.assign, name="assign"),
    path("<slug:slug>/mails/<int:inbound_id>/aside/", talk.set_aside, name="set_aside"),
    path("<slug:slug>/corrections/<int:correction_id>/", corrections.correction, name="correction"),
    path("<slug:slug>/tasks/", views.tasks, name="tasks"),
    path("<slug:slug>/decisions/<int:decision_id>/", views.decision, name="decision"),
    path("<slug:slug>/messages/<int:message_id>/", views.message, name="message"),
    path("<slug:slug>/messages/<int:message_id>/sent/", views.message_as_sent, name="message_as_sent"),
    path("<slug:slug>/messages/<int:message_id>/settle/", acts.settle_message, name="settle_message"),
]
