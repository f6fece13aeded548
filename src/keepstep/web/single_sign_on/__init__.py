"""Single sign-on by OpenID Connect, carried out by django-allauth."""
