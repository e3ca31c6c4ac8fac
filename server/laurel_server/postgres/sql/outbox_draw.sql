-- Draws the number of a batch that is not opened by open_ledger_batch.
SELECT nextval('ledger_batch_seq')
