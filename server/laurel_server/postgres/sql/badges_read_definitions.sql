-- The latest version of every badge definition, by type.
SELECT DISTINCT ON (badge_type) * FROM badge_definitions ORDER BY badge_type, version DESC
