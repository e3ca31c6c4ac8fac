-- Keeps where the test clock stands. $1: the time.
INSERT INTO sandbox_clock (now) VALUES ($1) ON CONFLICT (singleton) DO UPDATE SET now = excluded.now
