-- Writes profiles of users that exist. $1: user numbers, then one array a column; segments as JSON, because arrays of
-- arrays must be rectangular.
UPDATE users u
   SET username = p.username, email = p.email, avatar_url = p.avatar_url, country = p.country, region = p.region,
       timezone = p.timezone, birth_date = p.birth_date,
       segments = ARRAY(SELECT json_array_elements_text(p.segments::json))
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::text[])
       AS p(user_no, username, email, avatar_url, country, region, timezone, birth_date, segments)
 WHERE u.user_no = p.user_no
