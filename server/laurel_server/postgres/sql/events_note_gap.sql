-- Notes that events were dropped before a reader had heard them. $1: its name.
INSERT INTO event_positions (reader, gaps) VALUES ($1, 1) ON CONFLICT (reader) DO UPDATE SET gaps = event_positions.gaps + 1
