-- Locks what campaigns with a budget have spent, in order; always after the users of the batch, so that nothing deadlocks.
-- $1: campaign ids.
SELECT campaign_id, spent_points FROM campaign_spending WHERE campaign_id = ANY ($1::text[]) ORDER BY campaign_id FOR UPDATE
