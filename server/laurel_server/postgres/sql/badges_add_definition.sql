-- Adds the next version of a badge definition. $1-$7: its columns but the version, $8: who, $9: when. Result: the version.
INSERT INTO badge_definitions (badge_type, version, display_name, description, rule, level_rules, active, valid_for,
                               created_by, created_at)
VALUES ($1, 1 + coalesce((SELECT max(version) FROM badge_definitions WHERE badge_type = $1),
        0), $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING version
