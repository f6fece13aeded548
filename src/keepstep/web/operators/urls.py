"""The addresses of the operators. An operator's page is found by the e-mail address."""

from __future__ import annotations

from django.urls import path

from keepstep.web.operators import actions, editing, files, importing, listing, page

urlpatterns = [
    path("", listing.listing, name="operators"),
    path("export", files.export, name="operators-export"),
    path("import", importing.upload, name="operators-import"),
    path("import/template.<str:form>", files.empty, name="operators-template"),
    path("import/mapping/delete", importing.delete_mapping, name="operators-mapping-delete"),
    path("import/<uuid:draft>", importing.columns, name="operators-import-columns"),
    path("import/<uuid:draft>/preview", importing.preview, name="operators-import-preview"),
    path("import/<uuid:draft>/load", importing.load, name="operators-import-load"),
    path("import/<uuid:draft>/refused", importing.refused, name="operators-import-refused"),
    path("import/<uuid:draft>/discard", importing.discard, name="operators-import-discard"),
    path("switch", listing.switch, name="operators-switch"),
    path("new", editing.new, name="operators-new"),
    path("of/<str:email>", page.page, name="operator"),
    path("of/<str:email>/edit", editing.edit, name="operator-edit"),
    path("of/<str:email>/switch", actions.switch, name="operator-switch"),
    path("of/<str:email>/sync", actions.sync, name="operator-sync"),
    path("of/<str:email>/verify", actions.verify, name="operator-verify"),
    path("of/<str:email>/hold", actions.hold, name="operator-hold"),
    path("of/<str:email>/explain", page.explain, name="operator-explain"),
    path("of/<str:email>/erase", actions.erase, name="operator-erase"),
]
