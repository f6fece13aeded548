import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_session"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="covered_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="mailbox",
            name="delay",
            field=models.FloatField(null=True),
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("way", models.CharField(blank=True, default="", max_length=10)),
                ("subscription_id", models.TextField(blank=True, default="")),
                (
                    "address_key",
                    models.CharField(blank=True, db_index=True, default="", max_length=40),
                ),
                ("address", models.TextField(blank=True, default="")),
                ("folder_id", models.TextField(blank=True, default="")),
                ("watermark", models.TextField(blank=True, default="")),
                ("subscribed_at", models.DateTimeField(null=True)),
                ("heard_at", models.DateTimeField(null=True)),
                ("code", models.TextField(blank=True, default="")),
                ("retry_at", models.DateTimeField(null=True)),
                (
                    "mailbox",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to="store.mailbox"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WayTrouble",
            fields=[
                ("way", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("code", models.TextField()),
                ("detail", models.TextField(blank=True, default="")),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
