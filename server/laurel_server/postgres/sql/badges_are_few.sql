-- Whether the planner takes one of the tables of badges for nearly empty, and so reads all of it for each user.
SELECT bool_or(reltuples < 1000) FROM pg_class WHERE oid IN ('user_badges'::regclass, 'achievements'::regclass)
