from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0004_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="kind",
            field=models.TextField(default=""),
        ),
    ]
