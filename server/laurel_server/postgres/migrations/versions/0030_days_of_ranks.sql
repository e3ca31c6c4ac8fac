-- Ranks of a day are written some at a time, and told of when all are there.

-- Tells a period from that of a board which was created again after the one before it was deleted.
ALTER TABLE leaderboard_periods ADD COLUMN instance_no bigint GENERATED ALWAYS AS IDENTITY;
CREATE OR REPLACE VIEW board_periods AS
SELECT * FROM leaderboard_periods p
 WHERE p.board_no IN (SELECT board_no FROM boards)
    OR p.board_no IS NULL AND (
           (p.scope, p.period_type) IN (SELECT scope, period_type FROM boards WHERE kind = 1)
        OR (split_part(p.scope, ':', 1) || ':*', p.period_type) IN (SELECT scope, period_type FROM boards WHERE kind = 1));

-- Everybody's ranks at one moment have one number, a later moment a greater one. Rows whose number the day does not have are not
-- told of: they are being written, were left by somebody who died over it, or have been replaced.
CREATE SEQUENCE rank_takes;
ALTER TABLE rank_history ADD COLUMN take_no bigint NOT NULL DEFAULT 0;
ALTER TABLE rank_history ALTER COLUMN take_no DROP DEFAULT;
ALTER TABLE rank_history DROP CONSTRAINT rank_history_pkey, ADD PRIMARY KEY (scope, period_id, shard, taken_on, take_no);

-- The days of a board of which ranks are told.
CREATE TABLE rank_days (
    scope     text NOT NULL,
    period_id text NOT NULL,
    taken_on  date NOT NULL,
    take_no   bigint NOT NULL,
    PRIMARY KEY (scope, period_id, taken_on)
);
INSERT INTO rank_days SELECT DISTINCT scope, period_id, taken_on, 0 FROM rank_history;
