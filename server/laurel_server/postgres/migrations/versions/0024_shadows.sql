-- An index of shadow users alone: mostly nobody.
CREATE INDEX users_shadow ON users (user_id) WHERE visibility = 3;
