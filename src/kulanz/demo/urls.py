"""Pages under /mailbox/."""

from django.urls import path

from kulanz.demo import views

app_name = "demo"
urlpatterns = [
    path("<slug:slug>/", views.inbox, name="inbox"),
    path("<slug:slug>/<int:mail_id>/", views.letter, name="letter"),
    path("<slug:slug>/<int:mail_id>/as-sent/", views.as_sent, name="as_sent"),
]
