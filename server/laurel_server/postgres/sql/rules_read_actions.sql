-- The latest version of every action config, by name.
SELECT DISTINCT ON (action) * FROM reward_action_configs ORDER BY action, version DESC
