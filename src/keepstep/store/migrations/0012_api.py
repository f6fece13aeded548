import django.db.models.deletion
from django.db import migrations, models

import keepstep.store.models.history


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0011_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="history",
            name="xact",
            field=models.BigIntegerField(
                db_default=keepstep.store.models.history.TransactionNumber(), editable=False
            ),
        ),
        migrations.AddIndex(
            model_name="history",
            index=models.Index(
                condition=models.Q(("xact__gt", 0)), fields=["xact", "id"], name="history_feed"
            ),
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.TextField()),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("hint", models.CharField(max_length=20)),
                ("scopes", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to="store.account",
                    ),
                ),
            ],
            options={"ordering": ("-created_at",)},
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("url", models.TextField()),
                ("secret", models.TextField()),
                ("events", models.JSONField(default=list)),
                ("enabled", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                ("cursor", models.TextField(default="")),
                ("last_success_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ("pk",)},
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("body", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt", models.DateTimeField()),
                ("problem", models.TextField(default="")),
                ("dead_at", models.DateTimeField(null=True)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="store.mailbox"
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="store.webhook"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["webhook", "dead_at"], name="delivery_waiting")]
            },
        ),
    ]
