-- Whom a notification is for: somebody else may have the id by the time that it is sent. 0: it is older than this.
ALTER TABLE notifications ADD COLUMN user_no bigint NOT NULL DEFAULT 0;
