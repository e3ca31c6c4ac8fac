-- The latest version of every campaign, by id, with what all its versions have spent.
SELECT DISTINCT ON (c.campaign_id) c.*, s.spent_points
  FROM campaigns c JOIN campaign_spending s USING (campaign_id)
 ORDER BY c.campaign_id, c.version DESC
