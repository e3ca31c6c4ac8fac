-- Keeps what campaigns have spent; their rows are locked. $1: campaign ids, $2: points spent in all.
UPDATE campaign_spending c SET spent_points = s.spent_points
  FROM unnest($1::text[], $2::bigint[]) AS s(campaign_id, spent_points) WHERE c.campaign_id = s.campaign_id
