from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0010_subscriptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                (
                    "name",
                    models.CharField(max_length=36, primary_key=True, serialize=False),
                ),
                ("host", models.TextField()),
                ("pid", models.IntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("version", models.TextField()),
                ("backend", models.IntegerField()),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("leads", models.BooleanField(default=False)),
                ("shards", models.IntegerField(default=0)),
                ("overtaken", models.BigIntegerField(default=0)),
            ],
        ),
    ]
