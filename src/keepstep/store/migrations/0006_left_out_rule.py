from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0005_job_kind"),
    ]

    operations = [
        migrations.AddField(
            model_name="leftout",
            name="rule",
            field=models.CharField(default="ended-before", max_length=40),
        ),
    ]
