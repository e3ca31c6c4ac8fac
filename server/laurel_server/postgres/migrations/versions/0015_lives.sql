-- streak_step: what each day in a row adds to the base (NULL: no streak), up to streak_maximum (NULL: no bound).
-- referral_points: what the other side of a referral gets.
ALTER TABLE reward_action_configs
    ADD COLUMN streak_step numeric CHECK (streak_step >= 0),
    ADD COLUMN streak_maximum numeric CHECK (streak_maximum >= 0),
    ADD COLUMN referral_points bigint NOT NULL DEFAULT 0 CHECK (referral_points >= 0);

-- The last day of a streak, by the program's time zone, and how many days in a row it has.
ALTER TABLE action_usage ADD COLUMN streak_day date, ADD COLUMN streak bigint NOT NULL DEFAULT 0;

-- Users by birthday: month * 100 + day.
CREATE INDEX users_by_birthday ON users ((extract(month FROM birth_date) * 100 + extract(day FROM birth_date)))
    WHERE birth_date IS NOT NULL;
