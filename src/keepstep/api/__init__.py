"""The REST API: what the pages do, for other systems, by the same code. Served at /api/v1/.

Nothing here is imported before the first request: the libraries underneath are heavy.
"""
