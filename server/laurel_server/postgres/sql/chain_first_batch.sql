-- The batch with which the chain begins; older ones have no digest.
SELECT first_batch FROM ledger_chain
