-- People: erased ones, lists of them, and what operators did to them.

-- An erased person keeps only his number. His id is freed for another person; the mark in its place, `~` and the number, is
-- none that a caller can name.
ALTER TABLE users
    ADD COLUMN erased_at timestamptz,
    DROP CONSTRAINT users_user_id_check,
    ADD CONSTRAINT users_user_id_check CHECK (user_id ~ '^([A-Za-z0-9_.:@-]{1,64}|~[0-9]{1,19})$') NOT VALID;
ALTER TABLE users VALIDATE CONSTRAINT users_user_id_check;

-- ListUsers goes by the bytes of the id, whatever the language of the database.
CREATE INDEX users_by_id ON users (user_id COLLATE "C") WHERE erased_at IS NULL;
CREATE INDEX users_by_username ON users (lower(username) COLLATE "C") WHERE username <> '';
CREATE INDEX users_by_email ON users (lower(email) COLLATE "C") WHERE email <> '';

-- What operators did to people, by number: it outlives an erasure. Append-only.
CREATE TABLE user_measures (
    measure_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_no     bigint NOT NULL REFERENCES users,
    measure     text NOT NULL,
    detail      text NOT NULL,
    actor       text NOT NULL,
    reason      text NOT NULL,
    request_id  text NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX user_measures_by_user ON user_measures (user_no, measure_no);
CREATE TRIGGER user_measures_append_only BEFORE UPDATE OR DELETE ON user_measures
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER user_measures_no_truncate BEFORE TRUNCATE ON user_measures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
