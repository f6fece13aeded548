"""The addresses of: People."""

from __future__ import annotations

from django.urls import path

from keepstep.web.people import inviting, listing, person

urlpatterns = [
    path("", listing.listing, name="people"),
    path("links", listing.links, name="people-links"),
    path("invite", inviting.invite, name="people-invite"),
    path("invite/group", inviting.invite_group, name="people-invite-group"),
    path("<int:account>", person.person, name="person"),
    path("<int:account>/role", person.role, name="person-role"),
    path("<int:account>/switch", person.switch, name="person-switch"),
    path("<int:account>/link", person.link, name="person-link"),
    path("<int:account>/send", person.send, name="person-send"),
    path("<int:account>/unlink", person.unlink, name="person-unlink"),
    path("<int:account>/delete", person.delete, name="person-delete"),
]
