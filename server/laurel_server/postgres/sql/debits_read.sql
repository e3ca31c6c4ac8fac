-- What an entry took from lots. $1: transaction id. Cost: the debits.
SELECT lot_id, points, activates_at, nullif(expires_at, 'infinity') AS expires_at FROM lot_debits WHERE transaction_id = $1 ORDER BY lot_debits.expires_at, lot_id
