"""History and trends, kept in ClickHouse: a server of one's own, or the library, which Laurel runs as one."""
