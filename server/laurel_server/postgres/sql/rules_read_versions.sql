-- Versions of action configs, the latest or not. $1: actions, $2: their versions. Cost: an index look-up each.
SELECT c.* FROM unnest($1::text[], $2::bigint[]) AS w(action, version) JOIN reward_action_configs c USING (action, version)
