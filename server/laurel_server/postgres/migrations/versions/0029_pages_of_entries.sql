-- Pages of a statement are read in the order of the index, however few entries users have.

-- Up to `wanted` entries of a user, newest first: of these actions (empty: all), recorded in [since, until) (NULL: no bound), with
-- ids in [first_id, end_id).
-- A plan that is kept goes by what a user has on average. Where that is little, sorting all that he has looks cheaper than
-- merging the partitions, and somebody with a million entries waits for it. Without sorts only the merge is left.
-- Cost: the page, wherever it lies; entries of other actions in between are read too.
CREATE FUNCTION entries_of(
    of_user bigint, actions text[], since timestamptz, until timestamptz, first_id bigint, end_id bigint, wanted bigint
) RETURNS SETOF reward_transactions LANGUAGE sql STABLE SET enable_sort = off AS $$
SELECT * FROM reward_transactions
 WHERE user_no = of_user AND transaction_id >= first_id AND transaction_id < end_id
   AND (cardinality(actions) = 0 OR action = ANY (actions))
   AND (since IS NULL OR transaction_time >= since)
   AND (until IS NULL OR transaction_time < until)
 ORDER BY transaction_id DESC LIMIT wanted
$$;
