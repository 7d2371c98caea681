"""SQLite files and the runner of tasks; nothing of what is stored or computed."""
