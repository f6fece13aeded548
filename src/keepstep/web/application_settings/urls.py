"""The addresses of the settings pages."""

from __future__ import annotations

from django.urls import path

from keepstep.web.application_settings import (
    changes,
    connection,
    mail,
    single_sign_on,
    skip,
    views,
    webhooks,
)

urlpatterns = [
    path("", views.exchange, name="settings"),
    path("mail", views.mail, name="settings-mail"),
    path("mail/test", mail.test, name="settings-mail-test"),
    path("single-sign-on", single_sign_on.page, name="settings-single-sign-on"),
    path("single-sign-on/test", single_sign_on.test, name="settings-single-sign-on-test"),
    path("limits", views.limits, name="settings-limits"),
    path("check/<str:name>", views.check, name="settings-check"),
    path("connection", connection.page, name="connection"),
    path("connection/find", connection.find, name="connection-find"),
    path("appointments", skip.page, name="settings-appointments"),
    path("appointments/preview", skip.preview, name="settings-appointments-preview"),
    path("changes", changes.page, name="settings-changes"),
    path("webhooks", webhooks.page, name="settings-webhooks"),
    path("webhooks/<int:number>", webhooks.one, name="settings-webhook"),
    path("webhooks/<int:number>/switch", webhooks.switch, name="settings-webhook-switch"),
    path("webhooks/<int:number>/secret", webhooks.secret, name="settings-webhook-secret"),
    path("webhooks/<int:number>/replay", webhooks.replay, name="settings-webhook-replay"),
    path("webhooks/<int:number>/delete", webhooks.delete, name="settings-webhook-delete"),
]
