-- What users had earned before a window began, for the tier policy WINDOW: what they qualify with is lifetime points less
-- that. since: the first transaction id of the window, so that a row of another month is computed anew.
CREATE TABLE tier_windows (
    user_no       bigint PRIMARY KEY,
    since         bigint NOT NULL,
    earned_before bigint NOT NULL
) WITH (fillfactor = 80);

-- Users whose points do not reach their tier any more, and since when a review has seen that.
CREATE TABLE tier_at_risk (
    user_no bigint PRIMARY KEY,
    since   timestamptz NOT NULL
);
