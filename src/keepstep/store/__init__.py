"""The store: everything that is kept in the database."""
