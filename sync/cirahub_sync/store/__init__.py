"""What is remembered between passes: tables, queries, migrations, leases and encryption."""
