"""Words for believable calendars, in several scripts."""
# ruff: noqa: RUF001 - other scripts are what this is for

NAMES = (
    "Anna Berg",
    "Bruno Costa",
    "Chloé Dubois",
    "Deniz Yılmaz",
    "Emma Larsson",
    "Farid Haddad",
    "Grace Okafor",
    "Hiro Tanaka",
    "Ines Moreau",
    "Jonas Weber",
    "Klára Nováková",
    "Liam O'Brien",
    "Maya Levi",
    "Nikhil Rao",
    "Olga Petrova",
    "Paulo Silva",
)
CITIES = ("Hamburg", "Lyon", "Boston", "Osaka", "São Paulo", "Kraków", "Θεσσαλονίκη", "上海")
SUBJECTS = (
    "Sales call {city}",
    "Quarterly review {city}",
    "Demo for customer {number}",
    "Offer {number}: last questions",
    "Contract {number} & signature",
    "Pipeline round",
    "Visit <{city}>",
    "Lunch with the {city} team",
    "営業会議 {city}",
    "客户拜访 {number}",
    "اجتماع المبيعات {number}",
    "פגישת מכירות {number}",
    "Встреча с клиентом {number}",
    "Kick-off 🚀 {city}",
)
LOCATIONS = (
    "Room 5",
    "Customer's office",
    "Café Größenwahn, 2. Stock",
    "https://meet.example.com/sales",
    "会議室 A",
    "Phone",
    "",
    None,
)
LONG_SUBJECT = "Minutes of the very long meeting, part of an even longer series; " * 16
_HTML = (
    "<html><head><style>p {{ color: navy }}</style></head><body><p>Dear all,</p><p>{}</p>"
    "<ul><li>Prices</li><li>Next steps &amp; dates</li></ul>"
    '<p>See <a href="https://crm.example.com/offers/17?a=1&amp;b=2">the offer</a>.</p>'
    "</body></html>"
)
BODIES: tuple[tuple[str | None, str], ...] = (
    (None, "HTML"),
    ("", "Text"),
    ("Agenda:\n1. Figures\n2. Forecast\n3. Anything else", "Text"),
    ("مرحبا، نلتقي في المكتب.\n再见 👋", "Text"),
    (_HTML.format("we meet to talk about the <b>new</b> prices."), "HTML"),
    (_HTML.format("お世話になっております。<br>資料をご確認ください。"), "HTML"),
    (_HTML.format("שלום לכולם, <i>להתראות</i>."), "HTML"),
)
