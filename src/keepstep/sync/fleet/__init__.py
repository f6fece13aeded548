"""Many processes at one work, by PostgreSQL: whose turn it is, who leads, what is handed out."""
