-- Draws the number of a batch, in a transaction that has an id (see sealing). Result: batch_no, rules.
SELECT nextval('ledger_batch_seq') AS batch_no, version AS rules FROM rules_version
