-- The reset period of each score board that was seen last: another one means that the board has begun anew.
CREATE TABLE score_resets (
    board_no  bigint PRIMARY KEY REFERENCES boards (board_no) ON DELETE CASCADE,
    period_id text NOT NULL
);
