-- When a hold was captured, released or swept, so that what was held at an instant can be told afterwards. NULL while it is
-- active, and on holds that were closed before this migration.
ALTER TABLE holds ADD COLUMN closed_at timestamptz;
CREATE INDEX holds_by_user ON holds (user_no, created_at);
