-- When the ledger got its first rules, which is when a server first ran on it; no row, and so NULL, before that.
SELECT min(created_at) FROM reward_action_configs
