-- The greatest id of an entry. Cost: an index look-up in each partition, from the newest on, up to the first that has one.
SELECT coalesce((SELECT transaction_id FROM reward_transactions ORDER BY transaction_id DESC LIMIT 1), 0)
