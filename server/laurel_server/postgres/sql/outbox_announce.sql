-- Announces what happened outside of any batch of the ledger, which moves nobody on the boards. $1: events as JSON.
INSERT INTO outbox (batch_no, projected, user_nos, events) VALUES (nextval('ledger_batch_seq'), true, '{}', $1)
