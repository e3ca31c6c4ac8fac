-- Over how many keys, and so servers of a Redis Cluster, a points board spreads its members.
ALTER TABLE boards ADD COLUMN slots smallint NOT NULL DEFAULT 1 CHECK (slots BETWEEN 1 AND 64);
