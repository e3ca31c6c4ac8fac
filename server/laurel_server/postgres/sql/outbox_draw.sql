-- Draws a number above those of all batches that were opened before: of a batch that is not opened by open_ledger_batch, or
-- for the versions of one that has waited since then.
SELECT nextval('ledger_batch_seq')
