-- Keeps what an operator did to a person. $1: user number, $2: what, $3: how, $4: who, $5: why, $6: request id, $7: when.
INSERT INTO user_measures (user_no, measure, detail, actor, reason, request_id, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
