-- Return windows, expiry at the end of a month, and warnings before points expire.

ALTER TABLE reward_action_configs
    ADD COLUMN pending_for interval NOT NULL DEFAULT '0',
    ADD COLUMN expires_at_month_end boolean NOT NULL DEFAULT false;

-- Which lots' owners have been warned, and how many days before the expiry. Written together with the notification.
CREATE TABLE expiry_warnings (
    lot_id      bigint NOT NULL,
    days_before int NOT NULL,
    PRIMARY KEY (lot_id, days_before)
);
