"""Whose account is whose at a sign-in service."""

from __future__ import annotations

from django.db import models

from keepstep.store.models.account import Account


class Identity(models.Model):
    """An account's identity at a sign-in service: who issued it, and the subject there.

    Both together never change and are never given to another, unlike an e-mail address. `linked`
    and `used` are when it first and last let in (UTC), `proof` what single sign-on was set to
    then (`keepstep.store.single_sign_on.fingerprint`). It goes with the account.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identities")
    issuer = models.TextField()
    subject = models.TextField()
    linked = models.DateTimeField()
    used = models.DateTimeField()
    proof = models.TextField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="identity_subject"),
            models.UniqueConstraint(fields=("account", "issuer"), name="identity_account"),
        )

    def __str__(self) -> str:
        return f"identity of account {self.account_id}"
