-- The recording time of the latest entry; no row: the ledger is empty. Cost: one index look-up a partition.
SELECT transaction_time FROM reward_transactions ORDER BY transaction_id DESC LIMIT 1
