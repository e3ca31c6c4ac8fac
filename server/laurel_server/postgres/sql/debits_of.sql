-- What entries took from lots; negative: gave back. $1: transaction ids. Cost: the debits.
SELECT transaction_id, lot_id, points, activates_at, nullif(expires_at, 'infinity') AS expires_at FROM lot_debits
 WHERE transaction_id = ANY ($1::bigint[]) ORDER BY transaction_id, lot_debits.expires_at, lot_id
