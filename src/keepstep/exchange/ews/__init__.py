"""Exchange Web Services: the connector for Exchange on premises."""
